import { createHmac } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  ADD_HASH_AT,
  COMMON_BYTES,
  concat,
  equalBytes,
  HashfedError,
  LEAF_KIND,
  type ListState,
  type Random,
  readU16,
  readU64,
  type Staging,
  utf8,
} from '../../../sdk/core/index.js';
import { recordDisk } from '../signer/index.js';

/** Reasons that say the hash should not have been listed (docs/spec/formats.md, "Reason"). */
const COUNTS_AS_WRONG = new Set([1, 2, 8, 9, 10]);
const MAGIC = utf8('HFWRONG1');
const KEY_BYTES = 32;
const MAC_BYTES = 16;
const ERASED_ENTRY_BYTES = 34;

/**
 * Which hashes of our lists were last withdrawn as wrong or not illegal, so that nobody lists them again by accident.
 * Filled from the log on every replay; kept on disk as HMAC(local key, list and hash) cut to 16 bytes, because erasure
 * removes the hashes themselves. File: `HFWRONG1 | 32-byte key | (16-byte MAC)*`.
 */
export class WithdrawnMemory {
  readonly #file: string;
  readonly #key: Uint8Array;
  readonly #macs: Set<string>;
  #dirty = false;

  private constructor(file: string, key: Uint8Array, macs: Set<string>) {
    this.#file = file;
    this.#key = key;
    this.#macs = macs;
  }

  /** Throws STORAGE_FAILED for a file that is damaged. */
  static async open(file: string, random: Random): Promise<WithdrawnMemory> {
    const bytes = await recordDisk.read(file);
    if (bytes === undefined) return new WithdrawnMemory(file, random.bytes(KEY_BYTES), new Set());
    const macs = Buffer.from(bytes.subarray(MAGIC.length + KEY_BYTES));
    if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC) || macs.length % MAC_BYTES !== 0)
      throw new HashfedError(
        'STORAGE_FAILED',
        `${file} is damaged; remove it to have it made from the lists again`,
      );
    const held = new Set<string>();
    for (let at = 0; at < macs.length; at += MAC_BYTES) held.add(macs.toString('latin1', at, at + MAC_BYTES));
    return new WithdrawnMemory(file, bytes.slice(MAGIC.length, MAGIC.length + KEY_BYTES), held);
  }

  has(origin: string, hash: Uint8Array): boolean {
    return this.#macs.size > 0 && this.#macs.has(this.#mac(origin, hash));
  }

  note(origin: string, hash: Uint8Array, reason: number): void {
    const mac = this.#mac(origin, hash);
    const wrong = COUNTS_AS_WRONG.has(reason);
    if (this.#macs.has(mac) === wrong) return;
    this.#dirty = true;
    if (wrong) this.#macs.add(mac);
    else this.#macs.delete(mac);
  }

  /** Writes what changed; atomic and synced. */
  async save(): Promise<void> {
    if (!this.#dirty) return;
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const macs = new Uint8Array(Buffer.from([...this.#macs].join(''), 'latin1'));
    await recordDisk.replace(this.#file, concat(MAGIC, this.#key, macs));
    this.#dirty = false;
  }

  #mac(origin: string, hash: Uint8Array): string {
    return createHmac('sha256', this.#key)
      .update(`${origin}\n`)
      .update(hash)
      .digest()
      .toString('latin1', 0, MAC_BYTES);
  }
}

/**
 * Notes the withdrawals of a checked bundle that is about to be appended: their targets are still readable then,
 * those that were erased apart.
 */
export function noteWithdrawals(
  memory: WithdrawnMemory,
  state: ListState,
  staging: Staging,
  bundle: Uint8Array,
): void {
  const origin = state.origin.text;
  const offsets: number[] = [];
  for (let at = 0; at < bundle.length; ) {
    const length = readU16(bundle, at);
    offsets.push(length === 0 ? -1 : at + 2);
    if (length > COMMON_BYTES + 8 && bundle[at + 3] === LEAF_KIND.WITHDRAW) {
      const target = readU64(bundle, at + 2 + COMMON_BYTES);
      const hash = hashOf(state, staging, target, bundle, offsets);
      if (hash !== undefined) memory.note(origin, hash, bundle[at + 2 + COMMON_BYTES + 8]!);
    }
    at += length === 0 ? ERASED_ENTRY_BYTES : 2 + length;
  }
}

/** The hash that entry `target` added: in this bundle, or live before it. */
function hashOf(
  state: ListState,
  staging: Staging,
  target: number,
  bundle: Uint8Array,
  offsets: readonly number[],
): Uint8Array | undefined {
  if (target < staging.next) {
    const code = staging.replay.set.code(target);
    return code === 0 || code === 0xffff_ffff ? undefined : state.arena.hash(code - 1);
  }
  const at = offsets[target - staging.next] ?? -1;
  return at >= 0 && bundle[at + 1] === LEAF_KIND.ADD ? addedHash(bundle, at) : undefined;
}

/** The hash of an ADD whose leaf starts at `at`. */
export function addedHash(bundle: Uint8Array, at: number): Uint8Array {
  const start = at + ADD_HASH_AT;
  return bundle.subarray(start, start + bundle[start - 1]!);
}
