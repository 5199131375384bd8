import type { Random } from '../core/index.js';
import { HashfedError } from '../core/index.js';
import { damaged } from './body.js';
import { blockNonce, deriveKey, seal, unseal } from './cipher.js';
import type { Disk } from './disk.js';
import { FILE_ID_BYTES, MAX_SEALED_BYTES, STORE_FORMAT, TAG_BYTES } from './limits.js';

/** Kind of a sealed small file; in clear in its header and authenticated. */
export const SealedKind = {
  storeHead: 1,
  listHead: 2,
  statements: 3,
  document: 4,
  inbox: 5,
  settings: 6,
} as const;
export type SealedKind = (typeof SealedKind)[keyof typeof SealedKind];

const MAGIC = Buffer.from('HFSEALED', 'latin1');
/** magic 8 | u16 format | u8 kind | u8 0 | 16 B file id */
const HEADER_BYTES = 12 + FILE_ID_BYTES;

/** What all sealed files of one store share. `context` (the path's meaning) is authenticated, not stored. */
export interface Sealing {
  readonly disk: Disk;
  readonly random: Random;
  /** The store's master key. */
  readonly master: Uint8Array;
}

/** header ‖ AES-256-GCM(body) under a key of its own; `context` ties the file to its place. */
export function sealBytes(with_: Sealing, kind: SealedKind, context: string, body: Uint8Array): Uint8Array {
  if (body.length > MAX_SEALED_BYTES) throw damaged(context, 'it is larger than the store takes');
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  header.set([STORE_FORMAT >> 8, STORE_FORMAT & 255, kind, 0], 8);
  header.set(with_.random.bytes(FILE_ID_BYTES), 12);
  const key = deriveKey(with_.master, 'file', header.subarray(12));
  const sealed = seal(key, blockNonce(0), aadOf(header, context), body);
  return new Uint8Array(Buffer.concat([header, sealed]));
}

const aadOf = (header: Uint8Array, context: string) => Buffer.concat([header, Buffer.from(context, 'utf8')]);

/** `UPGRADE_REQUIRED` for a newer format; `STORAGE_FAILED` for anything that was not sealed for this place. */
export function unsealBytes(
  master: Uint8Array,
  kind: SealedKind,
  context: string,
  bytes: Uint8Array,
): Uint8Array {
  if (bytes.length < HEADER_BYTES + TAG_BYTES || MAGIC.compare(bytes, 0, 8) !== 0) {
    throw damaged(context, 'it is not a file of this store');
  }
  checkFormat((bytes[8]! << 8) | bytes[9]!, context);
  if (bytes[10] !== kind || bytes[11] !== 0) throw damaged(context, 'it is a file of another kind');
  const header = bytes.subarray(0, HEADER_BYTES);
  const key = deriveKey(master, 'file', header.subarray(12));
  const body = unseal(key, blockNonce(0), aadOf(header, context), bytes.subarray(HEADER_BYTES));
  if (body === undefined) throw damaged(context, 'it was changed or damaged');
  return body;
}

export function checkFormat(format: number, what: string): void {
  if (format === STORE_FORMAT) return;
  if (format > STORE_FORMAT) {
    throw new HashfedError('UPGRADE_REQUIRED', `${what}: written by a newer version of hashfed`);
  }
  throw damaged(what, 'its format is unknown');
}

/** Reads a whole file of at most `limit` bytes; undefined when there is none. */
export async function readWhole(disk: Disk, path: string, limit: number): Promise<Uint8Array | undefined> {
  let file: Awaited<ReturnType<Disk['open']>>;
  try {
    file = await disk.open(path);
  } catch (cause) {
    if (cause instanceof HashfedError && cause.code === 'NOT_FOUND') return undefined;
    throw cause;
  }
  try {
    if (file.size > limit) throw damaged('a file of the store', 'it is too long');
    const bytes = new Uint8Array(file.size);
    const got = await file.read(bytes, 0);
    return bytes.subarray(0, got);
  } finally {
    await file.close();
  }
}

/** Writes beside, syncs, renames over, syncs the directory: the file is old or new, never between. */
export async function replaceFile(disk: Disk, directory: string, name: string, bytes: Uint8Array) {
  const staged = `${directory}/.${name}.new`;
  await disk.remove(staged);
  const file = await disk.create(staged);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(staged, `${directory}/${name}`);
  await disk.syncDirectory(directory);
}

/** Replaces a sealed file atomically and durably. */
export async function putSealed(
  with_: Sealing,
  place: { directory: string; name: string; kind: SealedKind; context: string },
  body: Uint8Array,
): Promise<void> {
  const bytes = sealBytes(with_, place.kind, place.context, body);
  await replaceFile(with_.disk, place.directory, place.name, bytes);
}

export async function getSealed(
  with_: Sealing,
  place: { directory: string; name: string; kind: SealedKind; context: string },
): Promise<Uint8Array | undefined> {
  const path = `${place.directory}/${place.name}`;
  const bytes = await readWhole(with_.disk, path, MAX_SEALED_BYTES + HEADER_BYTES + TAG_BYTES);
  return bytes === undefined ? undefined : unsealBytes(with_.master, place.kind, place.context, bytes);
}
