import type { Random } from '../core/index.js';
import { damaged } from './body.js';
import type { Database } from './database.js';
import type { Disk } from './disk.js';
import type { KeyProvider } from './key.js';
import { KEY_FILE, wrapMaster } from './key-file.js';
import { KEY_BYTES } from './limits.js';
import { StoreHead } from './store-head.js';

/** Says that a store is being created; without it a missing key file is damage, not a beginning. */
const BEGUN = 'init.partial';

export interface CreateParts {
  readonly disk: Disk;
  readonly random: Random;
  readonly key: KeyProvider;
  readonly dir: string;
}

/** True when `dir` holds a store; false when one may be created there. Refuses what is neither. */
export async function isStore(disk: Disk, dir: string): Promise<boolean> {
  const names = await disk.list(dir);
  if (names.includes(KEY_FILE)) return true;
  const remains = names.some((name) => name === 'ledger' || name === 'lists' || name === 'store.head');
  if (remains && !names.includes(BEGUN)) throw damaged(KEY_FILE, 'it is gone, and the store cannot be read');
  return false;
}

export async function beginStore({ disk, dir }: CreateParts): Promise<void> {
  await disk.makeDirectory(dir);
  if (!(await disk.exists(`${dir}/${BEGUN}`))) await (await disk.create(`${dir}/${BEGUN}`)).close();
  await disk.syncDirectory(dir);
}

/** Everything but the key file first: from the moment that one exists, everything else must. */
export async function finishStore(parts: CreateParts, database: Database): Promise<Uint8Array> {
  const { disk, random, dir } = parts;
  const left: { type: 'del'; key: string }[] = [];
  for await (const [key] of database.entries('\x00', '\x7f')) left.push({ type: 'del', key });
  await database.write(left);
  for (const name of ['lists', 'documents', 'inbox']) await disk.makeDirectory(`${dir}/${name}`);
  const master = random.bytes(KEY_BYTES);
  await StoreHead.create({ disk, random, master }, dir);
  await wrapMaster(parts, dir, master);
  await disk.remove(`${dir}/${BEGUN}`);
  await disk.syncDirectory(dir);
  return master;
}
