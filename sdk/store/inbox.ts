import { HashfedError } from '../core/index.js';
import type { LedgerCounters } from './counters.js';
import type { LedgerJournal } from './journal.js';
import { checkNewEntry, decodeInboxEntry, encodeEntry } from './journal-codec.js';
import type { StoreParts } from './parts.js';
import { getSealed, putSealed, SealedKind } from './sealed-file.js';
import type { CountsHandover, Inbox, NewJournalEntry, Settings } from './types.js';

/** Counts as they lie in a message: window, (name, n)*, (set, members in base64)*. */
type CountsMessage = [string, [string, number][], [string, string[]][]];

/** One message: journal entries, settings (null removes), or counts. Authenticated; nobody but this store writes it. */
interface Message {
  readonly entries: Record<string, unknown>[];
  readonly settings: [string, string | null][];
  readonly counts?: CountsMessage[];
}

/** Where a writer moves what it finds. */
export interface InboxTargets {
  readonly journal: LedgerJournal;
  readonly counters: LedgerCounters;
}

/** Files that readers leave. Their entries have ids, so that absorbing one twice enters it once. */
export class FileInbox implements Inbox {
  readonly #parts: StoreParts;
  readonly #directory: string;
  readonly #settings: Settings;
  readonly #targets: InboxTargets | undefined;
  #absorbing: Promise<unknown> = Promise.resolve();

  constructor(parts: StoreParts, settings: Settings, targets: InboxTargets | undefined) {
    this.#parts = parts;
    this.#directory = `${parts.root}/inbox`;
    this.#settings = settings;
    this.#targets = targets;
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

  async putCounts(counts: readonly CountsHandover[]): Promise<void> {
    const packed = counts.map(
      (one): CountsMessage => [
        one.window,
        [...one.counts],
        [...one.distinct].map(([set, members]) => [
          set,
          members.map((member) => Buffer.from(member).toString('base64')),
        ]),
      ],
    );
    await this.#leave({ entries: [], settings: [], counts: packed });
  }

  /** In no order between files: names are random. One call at a time. */
  absorb(): Promise<number> {
    const turn = this.#absorbing.then(() => this.#absorbAll());
    this.#absorbing = turn.catch(() => {});
    return turn;
  }

  async #absorbAll(): Promise<number> {
    const targets = this.#targets;
    if (targets === undefined) throw new HashfedError('STORAGE_FAILED', 'the store is open for reading only');
    let count = 0;
    const found = await this.#parts.sealing.disk.list(this.#directory);
    const names = found.filter((name) => /^[0-9a-f]{32}\.in$/.test(name));
    await targets.counters.forgetAbsorbed(new Set(names));
    for (const name of names) count += await this.#absorbOne(targets, name);
    return count;
  }

  async #absorbOne({ journal, counters }: InboxTargets, name: string): Promise<number> {
    const body = await getSealed(this.#parts.sealing, this.#place(name));
    if (body === undefined) return 0;
    const message = JSON.parse(Buffer.from(body).toString('utf8')) as Message;
    const counts = (message.counts ?? []).map(unpackCounts);
    if (message.entries.length > 0) await journal.addNamed(message.entries.map(decodeInboxEntry));
    for (const [setting, text] of message.settings) {
      if (text === null) await this.#settings.remove(setting);
      else await this.#settings.put(setting, new Uint8Array(Buffer.from(text, 'base64')));
    }
    if (counts.length > 0) await counters.absorb(name, counts);
    await this.#parts.gate.run(() => this.#parts.sealing.disk.remove(`${this.#directory}/${name}`));
    return message.entries.length + message.settings.length + counts.length;
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

function unpackCounts([window, counts, distinct]: CountsMessage): CountsHandover {
  const members = distinct.map(
    ([set, packed]) => [set, packed.map((one) => new Uint8Array(Buffer.from(one, 'base64')))] as const,
  );
  return { window, counts: new Map(counts), distinct: new Map(members) };
}
