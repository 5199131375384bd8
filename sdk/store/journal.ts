import { type Clock, HashfedError, type Random } from '../core/index.js';
import {
  checkNewEntry,
  decodeChange,
  decodeEntry,
  encodeChange,
  encodeEntry,
  JOURNAL_STATES,
} from './journal-codec.js';
import type { Ledger, Transaction } from './ledger.js';
import type { Journal, JournalChange, JournalEntry, JournalState, NewJournalEntry } from './types.js';

const ENTRY = 'je!';
const BY_STATE = 'js!';
const HISTORY = 'jh!';
/** The quarantined entry of one (ref, record). */
const OPEN = 'jo!';
const HISTORY_NEXT = 'jn!';
const MAX_CAUSE_BYTES = 256;

/** Where an entry in this state may go; nothing comes back from deleted. */
const MOVES: Record<JournalState, readonly JournalState[]> = {
  held: ['released', 'handed-over', 'deleted', 'blocked'],
  blocked: ['released', 'handed-over', 'deleted', 'held'],
  released: ['deleted'],
  'handed-over': ['released', 'deleted'],
  deleted: [],
};

const quarantined = (entry: JournalEntry) => entry.state === 'held' || entry.state === 'blocked';
const stateKey = (state: JournalState, id: string) => `${BY_STATE}${JOURNAL_STATES.indexOf(state)}!${id}`;

/** The quarantine journal over the ledger: one value per entry, one per change, and nameless index keys. */
export class LedgerJournal implements Journal {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(ledger: Ledger, clock: Clock, random: Random) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#random = random;
  }

  add(entries: readonly NewJournalEntry[]): Promise<JournalEntry[]> {
    return this.addNamed(entries.map((entry) => ({ ...entry, id: this.newId() })));
  }

  newId(): string {
    return Buffer.from(this.#random.bytes(16)).toString('hex');
  }

  /** As `add`, with ids given before: an id that exists is answered as it is. */
  async addNamed(entries: readonly (NewJournalEntry & { id: string })[]): Promise<JournalEntry[]> {
    for (const entry of entries) checkNewEntry(entry);
    return await this.#ledger.commit(async (transaction) => {
      const now = this.#clock.nowMs();
      const result: JournalEntry[] = [];
      await transaction.prefetch(entries.flatMap((entry) => [this.#openKey(entry), ENTRY + entry.id]));
      for (const entry of entries) {
        const state = entry.action === 'hold' ? 'held' : 'blocked';
        const known = await this.#known(transaction, entry);
        const stored = known ?? { ...entry, state, changedMs: now };
        if (known === undefined) await this.#insert(transaction, stored, 'match');
        result.push(stored);
      }
      return result;
    });
  }

  async get(id: string): Promise<JournalEntry | undefined> {
    const value = await this.#ledger.get(ENTRY + id);
    return value === undefined ? undefined : decodeEntry(value);
  }

  async byState(state: JournalState, options: { after?: string; limit?: number } = {}) {
    const prefix = stateKey(state, '');
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    return await this.#follow(prefix, limit, options.after);
  }

  byRef(ref: string): Promise<JournalEntry[]> {
    return this.#follow(this.#refPrefix(ref));
  }

  byRecord(origin: string, addIndex: number): Promise<JournalEntry[]> {
    return this.#follow(this.#recordPrefix(origin, addIndex));
  }

  byItem(itemId: Uint8Array): Promise<JournalEntry[]> {
    return this.#follow(this.#itemPrefix(itemId));
  }

  move(ids: readonly string[], state: JournalState, cause: string): Promise<JournalEntry[]> {
    return this.#moveAll(
      async () => ids,
      state,
      cause,
      () => true,
    );
  }

  release(origin: string, addIndexes: readonly number[], cause: string): Promise<JournalEntry[]> {
    const find = async () => {
      const ids: string[] = [];
      for (const index of addIndexes) {
        for await (const id of this.#ledger.names(this.#recordPrefix(origin, index))) ids.push(id);
      }
      return ids;
    };
    return this.#moveAll(find, 'released', cause, quarantined);
  }

  async history(id?: string): Promise<JournalChange[]> {
    const changes: JournalChange[] = [];
    const prefix = id === undefined ? HISTORY : `${HISTORY}${id}!`;
    for await (const [, value] of this.#ledger.entries(prefix)) changes.push(decodeChange(value));
    return changes.sort((a, b) => a.sequence - b.sequence);
  }

  #moveAll(
    find: () => Promise<readonly string[]>,
    state: JournalState,
    cause: string,
    takes: (entry: JournalEntry) => boolean,
  ): Promise<JournalEntry[]> {
    if (Buffer.byteLength(cause, 'utf8') > MAX_CAUSE_BYTES)
      throw new HashfedError('MALFORMED', 'cause: too long');
    return this.#ledger.commit(async (transaction) => {
      const moved: JournalEntry[] = [];
      const ids = await find();
      await transaction.prefetch(ids.map((id) => ENTRY + id));
      for (const id of ids) {
        const value = await transaction.get(ENTRY + id);
        const entry = value === undefined ? undefined : decodeEntry(value);
        if (entry === undefined || !takes(entry) || !MOVES[entry.state].includes(state)) continue;
        const next = { ...entry, state, changedMs: this.#clock.nowMs() };
        transaction.remove(stateKey(entry.state, id));
        await this.#put(transaction, next, cause);
        moved.push(next);
      }
      return moved;
    });
  }

  async #insert(transaction: Transaction, entry: JournalEntry, cause: string): Promise<void> {
    const { id, ref, origin, addIndex, itemId } = entry;
    for (const prefix of [
      this.#refPrefix(ref),
      this.#recordPrefix(origin, addIndex),
      this.#itemPrefix(itemId),
    ]) {
      transaction.mark(prefix + id);
    }
    await this.#put(transaction, entry, cause);
  }

  async #put(transaction: Transaction, entry: JournalEntry, cause: string): Promise<void> {
    const { id, state, changedMs: timeMs } = entry;
    transaction.put(ENTRY + id, encodeEntry(entry));
    transaction.mark(stateKey(state, id));
    const open = this.#openKey(entry);
    if (quarantined(entry)) transaction.put(open, Buffer.from(id, 'latin1'));
    else transaction.remove(open);
    const next = await transaction.get(HISTORY_NEXT);
    const sequence = next === undefined ? 1 : Number(Buffer.from(next).toString('latin1'));
    const name = sequence.toString(16).padStart(14, '0');
    transaction.put(`${HISTORY}${id}!${name}`, encodeChange({ sequence, id, timeMs, state, cause }));
    transaction.put(HISTORY_NEXT, Buffer.from(String(sequence + 1), 'latin1'));
  }

  /** The entry that has this id, or quarantines this object for this record already. */
  async #known(transaction: Transaction, entry: NewJournalEntry & { id: string }) {
    const open = await transaction.get(this.#openKey(entry));
    const id = open === undefined ? entry.id : Buffer.from(open).toString('latin1');
    const value = await transaction.get(ENTRY + id);
    return value === undefined ? undefined : decodeEntry(value);
  }

  async #follow(prefix: string, limit = Number.POSITIVE_INFINITY, after = ''): Promise<JournalEntry[]> {
    const found: JournalEntry[] = [];
    for await (const id of this.#ledger.names(prefix, after)) {
      if (found.length >= limit) break;
      const entry = await this.get(id);
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  #openKey = (entry: NewJournalEntry) =>
    OPEN + this.#ledger.name('open', entry.ref, entry.origin, String(entry.addIndex));
  #refPrefix = (ref: string) => `jr!${this.#ledger.name('ref', ref)}!`;
  #recordPrefix = (origin: string, index: number) =>
    `jx!${this.#ledger.name('record', origin, String(index))}!`;
  #itemPrefix = (itemId: Uint8Array) => `ji!${this.#ledger.name('item', itemId)}!`;
}
