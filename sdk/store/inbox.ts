import { HashfedError } from '../core/index.js';
import type { LedgerJournal } from './journal.js';
import { checkNewEntry, decodeInboxEntry, encodeEntry } from './journal-codec.js';
import type { StoreParts } from './parts.js';
import { getSealed, putSealed, SealedKind } from './sealed-file.js';
import type { Inbox, NewJournalEntry, Settings } from './types.js';

/** One message: journal entries, or settings (null removes). Authenticated; nobody but this store writes it. */
interface Message {
  readonly entries: Record<string, unknown>[];
  readonly settings: [string, string | null][];
}

/** Files that readers leave. Their entries have ids, so that absorbing one twice enters it once. */
export class FileInbox implements Inbox {
  readonly #parts: StoreParts;
  readonly #directory: string;
  readonly #settings: Settings;
  readonly #journal: LedgerJournal | undefined;

  constructor(parts: StoreParts, settings: Settings, journal: LedgerJournal | undefined) {
    this.#parts = parts;
    this.#directory = `${parts.root}/inbox`;
    this.#settings = settings;
    this.#journal = journal;
  }

  async put(entries: readonly NewJournalEntry[]): Promise<void> {
    for (const entry of entries) checkNewEntry(entry);
    const named = entries.map((entry) => encodeEntry({ ...entry, id: this.#randomName() }));
    await this.#leave({
      entries: named.map((each) => JSON.parse(Buffer.from(each).toString())),
      settings: [],
    });
  }

  async putSetting(name: string, value: Uint8Array | undefined): Promise<void> {
    const text = value === undefined ? null : Buffer.from(value).toString('base64');
    await this.#leave({ entries: [], settings: [[name, text]] });
  }

  /** In no order between files: names are random. */
  async absorb(): Promise<number> {
    const journal = this.#journal;
    if (journal === undefined) throw new HashfedError('STORAGE_FAILED', 'the store is open for reading only');
    let count = 0;
    for (const name of await this.#parts.sealing.disk.list(this.#directory)) {
      if (/^[0-9a-f]{32}\.in$/.test(name)) count += await this.#absorbOne(journal, name);
    }
    return count;
  }

  async #absorbOne(journal: LedgerJournal, name: string): Promise<number> {
    const body = await getSealed(this.#parts.sealing, this.#place(name));
    if (body === undefined) return 0;
    const message = JSON.parse(Buffer.from(body).toString('utf8')) as Message;
    if (message.entries.length > 0) await journal.addNamed(message.entries.map(decodeInboxEntry));
    for (const [setting, text] of message.settings) {
      if (text === null) await this.#settings.remove(setting);
      else await this.#settings.put(setting, new Uint8Array(Buffer.from(text, 'base64')));
    }
    await this.#parts.gate.run(() => this.#parts.sealing.disk.remove(`${this.#directory}/${name}`));
    return message.entries.length + message.settings.length;
  }

  async #leave(message: Message): Promise<void> {
    await this.#parts.sealing.disk.makeDirectory(this.#directory);
    const place = this.#place(`${this.#randomName()}.in`);
    await putSealed(this.#parts.sealing, place, Buffer.from(JSON.stringify(message)));
  }

  #randomName(): string {
    return Buffer.from(this.#parts.sealing.random.bytes(16)).toString('hex');
  }

  #place(name: string) {
    return { directory: this.#directory, name, kind: SealedKind.inbox, context: `inbox\n${name}` };
  }
}
