import { createHash, type Hash, hash as hashAtOnce } from 'node:crypto';
import { HashfedError } from '../core/index.js';
import { PIECE_BYTES, SMALL_FILE_BYTES } from './limits.js';
import { EXACT_TYPES, type ExactHashes, type ExactType, type Hashed, type HashOptions } from './types.js';

function checkTypes(types: readonly ExactType[]): readonly ExactType[] {
  const unknown = types.some((type) => !EXACT_TYPES.includes(type));
  if (unknown || types.length === 0)
    throw new HashfedError('USAGE', 'types: must be some of md5, sha1, sha256');
  return [...new Set(types)];
}

/** Several hashes of one run of bytes. */
export class MultiHash {
  readonly #hashes: readonly { readonly type: ExactType; readonly hash: Hash }[];
  #bytes = 0;

  /** Throws `USAGE` for no or unknown types. */
  constructor(types: readonly ExactType[] = EXACT_TYPES) {
    this.#hashes = checkTypes(types).map((type) => ({ type, hash: createHash(type) }));
  }

  get bytes(): number {
    return this.#bytes;
  }

  update(bytes: Uint8Array): void {
    for (const { hash } of this.#hashes) hash.update(bytes);
    this.#bytes += bytes.length;
  }

  /** Ends it: neither `update` nor `digest` can be called after. */
  digest(): Hashed {
    const hashes: { -readonly [type in keyof ExactHashes]: Uint8Array } = {};
    for (const { type, hash } of this.#hashes) hashes[type] = hash.digest();
    return { hashes, bytes: this.#bytes };
  }
}

/** Hashes bytes in memory. Throws `USAGE` for unknown types and `MALFORMED` for more than `maxBytes`. */
export function hashBuffer(bytes: Uint8Array, options: Omit<HashOptions, 'signal'> = {}): Hashed {
  if (bytes.length > (options.maxBytes ?? Number.POSITIVE_INFINITY)) throw tooLarge();
  if (bytes.length <= SMALL_FILE_BYTES) return hashSmall(bytes, checkTypes(options.types ?? EXACT_TYPES));
  const multi = new MultiHash(options.types);
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) multi.update(bytes.subarray(at, at + PIECE_BYTES));
  return multi.digest();
}

/** Without hash objects, which cost more than the bytes of a small file. */
function hashSmall(bytes: Uint8Array, types: readonly ExactType[]): Hashed {
  const hashes: { -readonly [type in keyof ExactHashes]: Uint8Array } = {};
  for (const type of types) hashes[type] = hashAtOnce(type, bytes, 'buffer');
  return { hashes, bytes: bytes.length };
}

export function tooLarge(): HashfedError {
  return new HashfedError('MALFORMED', 'content: is larger than allowed', { field: 'content' });
}

/** Throws `CANCELLED` once the signal is aborted. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new HashfedError('CANCELLED', 'hashing was cancelled', { cause: signal.reason });
}
