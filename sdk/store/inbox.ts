import { damaged } from './body.js';
import type { LedgerJournal } from './journal.js';
import { checkNewEntry, decodeInboxEntry, encodeEntry } from './journal-codec.js';
import type { StoreParts } from './parts.js';
import { getSealed, putSealed, SealedKind } from './sealed-file.js';
import type { Inbox, NewJournalEntry } from './types.js';

/** Files that readers leave. Their entries have ids, so that absorbing one twice enters it once. */
export class FileInbox implements Inbox {
  readonly #parts: StoreParts;
  readonly #directory: string;
  readonly #journal: LedgerJournal | undefined;

  constructor(parts: StoreParts, journal: LedgerJournal | undefined) {
    this.#parts = parts;
    this.#directory = `${parts.root}/inbox`;
    this.#journal = journal;
  }

  async put(entries: readonly NewJournalEntry[]): Promise<void> {
    for (const entry of entries) checkNewEntry(entry);
    const named = entries.map((entry) => ({ ...entry, id: this.#randomName() }));
    const texts = named.map((entry) => Buffer.from(encodeEntry(entry)).toString('utf8'));
    await this.#parts.sealing.disk.makeDirectory(this.#directory);
    await putSealed(
      this.#parts.sealing,
      this.#place(`${this.#randomName()}.in`),
      Buffer.from(`[${texts.join()}]`),
    );
  }

  async absorb(): Promise<number> {
    const journal = this.#journal;
    if (journal === undefined) throw damaged('inbox', 'a reader cannot absorb it');
    let count = 0;
    for (const name of await this.#parts.sealing.disk.list(this.#directory)) {
      if (!/^[0-9a-f]{32}\.in$/.test(name)) continue;
      count += await this.#absorbOne(journal, name);
    }
    return count;
  }

  async #absorbOne(journal: LedgerJournal, name: string): Promise<number> {
    const body = await getSealed(this.#parts.sealing, this.#place(name));
    if (body === undefined) return 0;
    const values = JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, unknown>[];
    const entries = values.map(decodeInboxEntry);
    await journal.addNamed(entries);
    await this.#parts.gate.run(() => this.#parts.sealing.disk.remove(`${this.#directory}/${name}`));
    return entries.length;
  }

  #randomName(): string {
    return Buffer.from(this.#parts.sealing.random.bytes(16)).toString('hex');
  }

  #place(name: string) {
    return { directory: this.#directory, name, kind: SealedKind.inbox, context: `inbox\n${name}` };
  }
}
