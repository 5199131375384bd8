import { type Clock, HashfedError, type Random } from '../core/index.js';
import { beginStore, finishStore, isStore } from './create.js';
import { type OpenDatabase, openLevel } from './database.js';
import type { Disk } from './disk.js';
import { WriteGate } from './gate.js';
import type { KeyProvider } from './key.js';
import { unwrapMaster } from './key-file.js';
import { Ledger } from './ledger.js';
import { originOf } from './list-paths.js';
import { nodeDisk } from './node-disk.js';
import { OpenedStore, RUNNING } from './opened-store.js';
import { readHeadFile, type StoreParts } from './parts.js';
import { STAGING_FILE } from './staging.js';
import { StoreHead } from './store-head.js';
import type { Store } from './types.js';

export interface OpenStoreOptions {
  readonly dir: string;
  readonly key: KeyProvider;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: the real disk. */
  readonly disk?: Disk;
  /** Default: LevelDB in `dir/ledger`. */
  readonly database?: OpenDatabase;
  /** Opens lists and documents only, beside a running writer. Default false. */
  readonly readOnly?: boolean;
}

/**
 * Opens the store in `dir`, creating it when there is none. `STORAGE_FAILED`: wrong key, damage, rollback,
 * another writer, or a state that cannot be judged. `UPGRADE_REQUIRED`: written by a newer version.
 * `NOT_FOUND`: read-only, and there is no store.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const disk = options.disk ?? nodeDisk;
  return options.readOnly === true ? await openReader(options, disk) : await openWriter(options, disk);
}

async function openReader(options: OpenStoreOptions, disk: Disk): Promise<Store> {
  const { dir, key, random } = options;
  const master = await unwrapMaster({ disk, key }, dir);
  if (master === undefined) throw new HashfedError('NOT_FOUND', 'there is no store here');
  const sealing = { disk, random, master };
  const head = await StoreHead.load(sealing, dir);
  return new OpenedStore({ sealing, root: dir, gate: new WriteGate(true), head }, false);
}

async function openWriter(options: OpenStoreOptions, disk: Disk): Promise<Store> {
  const { dir, key, random, clock } = options;
  const creating = { disk, random, key, dir };
  const existing = await isStore(disk, dir);
  if (!existing) await beginStore(creating);
  const database = await (options.database ?? openLevel)(`${dir}/ledger`, !existing);
  try {
    if (!existing) await finishStore(creating, database);
    const master = await unwrapMaster({ disk, key }, dir);
    if (master === undefined)
      throw new HashfedError('STORAGE_FAILED', 'the store vanished while it was opened');
    const sealing = { disk, random, master };
    const gate = new WriteGate(false);
    const parts = { sealing, root: dir, gate, head: await StoreHead.load(sealing, dir) };
    const ledger = await Ledger.open({ database, master, random, gate, head: parts.head });
    const unclean = await markRunning(disk, dir);
    await sweep(parts);
    return new OpenedStore(parts, unclean, { database, ledger, clock });
  } catch (cause) {
    await database.close();
    throw cause;
  }
}

/** True when the mark was there already: the writer before did not close. */
async function markRunning(disk: Disk, dir: string): Promise<boolean> {
  if (await disk.exists(`${dir}/${RUNNING}`)) return true;
  await (await disk.create(`${dir}/${RUNNING}`)).close();
  await disk.syncDirectory(dir);
  return false;
}

/** Removes what interrupted rebuilds left. A list whose head cannot be read is left alone: loading it says why. */
async function sweep(parts: StoreParts): Promise<void> {
  const { disk } = parts.sealing;
  for (const name of await disk.list(`${parts.root}/lists`)) {
    const origin = originOf(name);
    if (origin === undefined) continue;
    const directory = `${parts.root}/lists/${name}`;
    const head = await readHeadFile(parts, origin).catch(() => 'damaged' as const);
    if (head === 'damaged' || (head === undefined && parts.head.listSequence(origin) > 0)) continue;
    const keep = new Set(['head', 'statements', STAGING_FILE, head?.directory]);
    for (const file of await disk.list(directory)) {
      if (!keep.has(file)) await disk.remove(`${directory}/${file}`);
    }
  }
}
