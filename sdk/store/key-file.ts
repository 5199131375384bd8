import { HashfedError, type Random } from '../core/index.js';
import { damaged } from './body.js';
import { blockNonce, deriveKey, seal, unseal } from './cipher.js';
import type { Disk } from './disk.js';
import type { KeyProvider } from './key.js';
import { KEY_BYTES, KEY_ID_BYTES, STORE_FORMAT, TAG_BYTES } from './limits.js';
import { checkFormat, readWhole, replaceFile } from './sealed-file.js';

/** Marks an initialised store, and holds its master key wrapped under the hoster's key. */
export const KEY_FILE = 'store.key';

const MAGIC = Buffer.from('HFSTORE1', 'latin1');
/** magic 8 | u16 format | u16 0 | 8 B id of the hoster's key | 16 B salt, then the wrapped master key */
const HEADER_BYTES = 12 + KEY_ID_BYTES + 16;
const FILE_BYTES = HEADER_BYTES + KEY_BYTES + TAG_BYTES;

interface Wrapping {
  readonly disk: Disk;
  readonly random: Random;
  readonly key: KeyProvider;
}

/** Writes the key file; the last step of creating a store, and all there is to replacing the hoster's key. */
export async function wrapMaster(with_: Wrapping, directory: string, master: Uint8Array): Promise<void> {
  const key = await with_.key.key(undefined);
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  header.set([STORE_FORMAT >> 8, STORE_FORMAT & 255], 8);
  header.set(key.id, 12);
  header.set(with_.random.bytes(16), 12 + KEY_ID_BYTES);
  const sealed = seal(wrapKey(key.bytes, header), blockNonce(0), header, master);
  await replaceFile(with_.disk, directory, KEY_FILE, Buffer.concat([header, sealed]));
}

const wrapKey = (key: Uint8Array, header: Uint8Array) =>
  deriveKey(key, 'wrap', header.subarray(12 + KEY_ID_BYTES));

/** undefined when there is no store. `STORAGE_FAILED` says clearly whether the key or the file is wrong. */
export async function unwrapMaster(
  with_: Omit<Wrapping, 'random'>,
  directory: string,
): Promise<Uint8Array | undefined> {
  const bytes = await readWhole(with_.disk, `${directory}/${KEY_FILE}`, FILE_BYTES);
  if (bytes === undefined) return undefined;
  if (bytes.length !== FILE_BYTES || MAGIC.compare(bytes, 0, 8) !== 0) {
    throw damaged(KEY_FILE, 'it is not the key file of a store');
  }
  checkFormat((bytes[8]! << 8) | bytes[9]!, KEY_FILE);
  const header = bytes.subarray(0, HEADER_BYTES);
  const wanted = header.slice(12, 12 + KEY_ID_BYTES);
  const key = await with_.key.key(wanted);
  if (Buffer.compare(key.id, wanted) !== 0) {
    const ids = [key.id, wanted].map((id) => Buffer.from(id).toString('hex'));
    throw new HashfedError(
      'STORAGE_FAILED',
      `wrong store key: given ${ids[0]}, the store was made with ${ids[1]}`,
    );
  }
  const master = unseal(wrapKey(key.bytes, header), blockNonce(0), header, bytes.subarray(HEADER_BYTES));
  if (master === undefined) throw damaged(KEY_FILE, 'it was changed or damaged');
  return master;
}

/**
 * Replaces the hoster's key: the master key is wrapped anew, nothing else changes. Atomic. The old key opens
 * older copies of this one file still; where it is known to others, start a new store and sync again.
 */
export async function rotateStoreKey(options: {
  readonly dir: string;
  readonly disk: Disk;
  readonly random: Random;
  readonly from: KeyProvider;
  readonly to: KeyProvider;
}): Promise<void> {
  const { dir, disk, random, from, to } = options;
  const master = await unwrapMaster({ disk, key: from }, dir);
  if (master === undefined) throw new HashfedError('NOT_FOUND', 'there is no store here');
  await wrapMaster({ disk, random, key: to }, dir, master);
}
