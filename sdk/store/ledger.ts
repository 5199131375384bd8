import { hash } from 'node:crypto';
import type { Random } from '../core/index.js';
import { BodyReader, BodyWriter, damaged } from './body.js';
import { deriveKey, hmac, seal, unseal } from './cipher.js';
import type { Database, DatabaseOp } from './database.js';
import type { WriteGate } from './gate.js';
import { MAX_VALUE_BYTES, NONCE_BYTES, STORE_FORMAT, TAG_BYTES } from './limits.js';
import { checkFormat } from './sealed-file.js';
import type { LedgerMark, StoreHead } from './store-head.js';

/** Reads and writes of one commit; it sees its own writes by key. */
export interface Transaction {
  get(key: string): Promise<Uint8Array | undefined>;
  /** Reads many keys in one call, so that `get` of them costs none. */
  prefetch(keys: readonly string[]): Promise<void>;
  put(key: string, value: Uint8Array): void;
  /** Puts a key that says everything by being there. */
  mark(key: string): void;
  remove(key: string): void;
}

export interface LedgerParts {
  readonly database: Database;
  readonly master: Uint8Array;
  readonly random: Random;
  readonly gate: WriteGate;
  readonly head: StoreHead;
}

/** Holds sequence and digest of everything else; the one key outside the digest. */
const MARK_KEY = '!mark';
const FIRST = '\x00';
const LAST = '\x7f';
const NONE = new Uint8Array();

/**
 * Journal, spool, counters and settings over one database that is not believed: values are sealed and bound to
 * their keys, and a keyed digest over all of them, kept inside and outside, shows what was lost or put back.
 */
export class Ledger {
  readonly #parts: LedgerParts;
  readonly #valueKey: Uint8Array;
  readonly #nameKey: Uint8Array;
  readonly #digestKey: Uint8Array;
  #mark: LedgerMark = { sequence: 0, digest: new Uint8Array(32) };

  private constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#valueKey = deriveKey(parts.master, 'ledger-value', NONE);
    this.#nameKey = deriveKey(parts.master, 'ledger-key', NONE);
    this.#digestKey = deriveKey(parts.master, 'ledger-digest', NONE);
  }

  /** Reads every value once. `STORAGE_FAILED` for lost, changed or rolled-back values. */
  static async open(parts: LedgerParts): Promise<Ledger> {
    const ledger = new Ledger(parts);
    const mark = await ledger.#readMark();
    const digest = await ledger.#digestAll();
    const outside = parts.head.ledger;
    const behind = mark.sequence < outside.sequence || mark.sequence > outside.sequence + 1;
    const differs = mark.sequence === outside.sequence && Buffer.compare(mark.digest, outside.digest) !== 0;
    if (behind || differs) throw damaged('ledger', 'it is not the one last committed: lost or rolled back');
    if (Buffer.compare(digest, mark.digest) !== 0) throw damaged('ledger', 'values were lost or changed');
    ledger.#mark = mark;
    if (mark.sequence > outside.sequence) await parts.gate.run(() => parts.head.setLedger(mark));
    return ledger;
  }

  /** A name for use in a key: 16 bytes of HMAC in hex, so that keys tell nothing. */
  name(...parts: readonly (string | Uint8Array)[]): string {
    const framed = new BodyWriter();
    for (const part of parts) framed.bytes(typeof part === 'string' ? Buffer.from(part, 'utf8') : part);
    return hmac(this.#nameKey, framed.finish()).toString('hex', 0, 16);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const stored = await this.#parts.database.get(key);
    return stored === undefined ? undefined : this.#unseal(key, stored);
  }

  /** Values under keys that begin with `prefix`, in order of keys. */
  async *entries(prefix: string, after = ''): AsyncGenerator<readonly [string, Uint8Array]> {
    const from = after === '' ? prefix : `${prefix}${after}${FIRST}`;
    for await (const [key, stored] of this.#parts.database.entries(from, prefix + LAST)) {
      yield [key, this.#unseal(key, stored)] as const;
    }
  }

  /** Keys that begin with `prefix`, without the prefix. */
  async *names(prefix: string, after = ''): AsyncGenerator<string> {
    const from = after === '' ? prefix : `${prefix}${after}${FIRST}`;
    for await (const [key] of this.#parts.database.entries(from, prefix + LAST))
      yield key.slice(prefix.length);
  }

  /** Runs `work` alone and writes what it put in one synced batch; nothing is written when it throws. */
  commit<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#parts.gate.run(async () => {
      const changes = new Map<string, Uint8Array | undefined>();
      const fetched = new Map<string, Uint8Array | undefined>();
      const result = await work({
        get: async (key) => {
          if (changes.has(key)) return changes.get(key);
          return fetched.has(key) ? fetched.get(key) : await this.get(key);
        },
        prefetch: async (keys) => {
          const values = await this.#parts.database.getMany(keys);
          for (const [i, key] of keys.entries()) {
            const stored = values[i];
            fetched.set(key, stored === undefined ? undefined : this.#unseal(key, stored));
          }
        },
        put: (key, value) => changes.set(key, value),
        mark: (key) => changes.set(key, NONE),
        remove: (key) => changes.set(key, undefined),
      });
      if (changes.size > 0) await this.#write(changes);
      return result;
    });
  }

  async #write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    const { database, head } = this.#parts;
    const digest = Uint8Array.from(this.#mark.digest);
    const ops: DatabaseOp[] = [];
    const stored = await database.getMany([...changes.keys()]);
    let i = 0;
    for (const [key, value] of changes) {
      const old = stored[i++];
      if (old !== undefined) xorInto(digest, this.#element(key, old));
      const sealed = value === undefined ? undefined : this.#seal(key, value);
      if (sealed !== undefined) xorInto(digest, this.#element(key, sealed));
      ops.push(sealed === undefined ? { type: 'del', key } : { type: 'put', key, value: sealed });
    }
    const mark = { sequence: this.#mark.sequence + 1, digest };
    const body = new BodyWriter().u64(mark.sequence).raw(digest).finish();
    ops.push({ type: 'put', key: MARK_KEY, value: this.#seal(MARK_KEY, body) });
    await database.write(ops);
    await head.setLedger(mark);
    this.#mark = mark;
  }

  async #readMark(): Promise<LedgerMark> {
    const body = await this.get(MARK_KEY);
    if (body === undefined) return this.#mark;
    const reader = new BodyReader(body, 'ledger');
    const mark = { sequence: reader.u64(), digest: reader.raw(32).slice() };
    reader.end();
    return mark;
  }

  async #digestAll(): Promise<Uint8Array> {
    const digest = new Uint8Array(32);
    for await (const [key, stored] of this.#parts.database.entries(FIRST, LAST)) {
      if (key !== MARK_KEY) xorInto(digest, this.#element(key, stored));
    }
    return digest;
  }

  /** Pseudorandom per (key, stored bytes); never leaves the process but under encryption. */
  #element(key: string, stored: Uint8Array): Uint8Array {
    const length = Buffer.from([key.length >> 8, key.length & 255]);
    return hash('sha256', Buffer.concat([this.#digestKey, length, Buffer.from(key), stored]), 'buffer');
  }

  /**
   * format byte | nonce | sealed, bound to the key. Random nonces: at most 2^32 values under one store. An
   * empty value is a mark, stored empty: the digest vouches for it.
   */
  #seal(key: string, value: Uint8Array): Uint8Array {
    if (value.length === 0) return value;
    if (value.length > MAX_VALUE_BYTES) throw damaged('ledger', 'a value is larger than the store takes');
    const nonce = this.#parts.random.bytes(NONCE_BYTES);
    const sealed = seal(this.#valueKey, nonce, Buffer.from(key), value);
    return new Uint8Array(Buffer.concat([Uint8Array.of(STORE_FORMAT), nonce, sealed]));
  }

  #unseal(key: string, stored: Uint8Array): Uint8Array {
    if (stored.length === 0) return NONE;
    if (stored.length < 1 + NONCE_BYTES + TAG_BYTES) throw damaged('ledger', 'a value is cut off');
    checkFormat(stored[0]!, 'ledger');
    const nonce = stored.subarray(1, 1 + NONCE_BYTES);
    const value = unseal(this.#valueKey, nonce, Buffer.from(key), stored.subarray(1 + NONCE_BYTES));
    if (value === undefined) throw damaged('ledger', 'a value was changed or damaged');
    return value;
  }
}

function xorInto(target: Uint8Array, element: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i]! ^= element[i]!;
}
