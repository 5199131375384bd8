/**
 * Opening refuses ambiguity. The database may be ahead of HEADS by the one batch whose acknowledgement a crash
 * cut off; anything else (behind, further ahead, other heads, other store) is refused.
 */
import { type Clock, HashfedError, type Random, type Sha256 } from '../../../sdk/core/index.js';
import { type Disk, replaceFile } from '../disk.js';
import { damaged } from '../failure.js';
import { KeyReader, rangeOf } from '../keys.js';
import { seal, unseal } from '../sealed.js';
import { createStorage } from '../storage.js';
import type { Storage } from '../types.js';
import { type Engine, type OpenEngine, openLevelEngine } from './engine.js';
import { digestOfHeads, formatHeads, type HeadsFile, MAX_HEADS_BYTES, parseHeads } from './heads-file.js';
import { headLine, LevelKernel, type LevelState } from './kernel.js';
import { decodeMeta, digestOfMeta, encodeMeta, META_KEY, type Meta } from './meta.js';
import { scanRows } from './scan.js';
import { Sums } from './sums.js';
import { verifyRows } from './verify.js';

export interface LevelOptions {
  readonly directory: string;
  /** 32 bytes, kept apart from the directory: authenticates HEADS. */
  readonly headsKey: Uint8Array;
  readonly sha: Sha256;
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  /** Makes a new store where the directory holds none at all. Without it an absent store is an error. */
  readonly create?: boolean;
  /** LevelDB itself unless a test puts something in between. */
  readonly openEngine?: OpenEngine;
}

const READY = 'hashfed-storage/1 level ready\n';
const STARTING = 'hashfed-storage/1 level initialising\n';

/**
 * Opens (or, with `create`, makes) a store. After an unclean stop every row is read and compared first; after
 * a clean one the small tables and the ends of all logs. Throws `STORAGE_FAILED` saying what does not fit.
 */
export async function openLevelStorage(options: LevelOptions): Promise<Storage> {
  const kernel = await openLevelKernel(options);
  const storage = createStorage({ ...options, kernel });
  try {
    const { problems } = await storage.check({ full: false });
    if (problems[0]) throw new HashfedError('STORAGE_FAILED', `the store is damaged: ${problems[0].message}`);
    return storage;
  } catch (error) {
    await storage.close().catch(() => undefined);
    throw error;
  }
}

/** The kernel alone; the logs on it are not looked at. */
export async function openLevelKernel(options: LevelOptions): Promise<LevelKernel> {
  await initialise(options);
  const engine = await openEngine(options, false);
  try {
    const state = await reconcile(options, engine);
    await writeHeads(options, state.heads);
    return new LevelKernel({ engine, writeHeads: (heads) => writeHeads(options, heads) }, state);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

function writeHeads({ disk, directory, headsKey }: LevelOptions, heads: HeadsFile): Promise<void> {
  return replaceFile(disk, directory, 'HEADS', formatHeads(heads, headsKey));
}

/** Makes a new store where there is nothing, or where making one was cut off. */
async function initialise(options: LevelOptions): Promise<void> {
  const { disk, directory } = options;
  if (options.headsKey.length !== 32) throw new HashfedError('USAGE', 'the key of HEADS has 32 bytes');
  const marker = Buffer.from((await disk.readFile(`${directory}/FORMAT`, 1_024)) ?? '').toString('utf8');
  if (marker === READY) return;
  const names = await disk.list(directory);
  const fresh = marker === STARTING || names.every((name) => name === 'FORMAT.tmp');
  if (!fresh)
    damaged('FORMAT', marker === '' ? 'is missing beside other files' : 'is of another program or version');
  if (!options.create) throw new HashfedError('STORAGE_FAILED', 'there is no store in this directory');
  await disk.mkdir(directory);
  await replaceFile(disk, directory, 'FORMAT', Buffer.from(STARTING));
  await disk.remove(`${directory}/db`);
  await fill(options);
  await replaceFile(disk, directory, 'FORMAT', Buffer.from(READY));
}

async function fill(options: LevelOptions): Promise<void> {
  const store = Buffer.from(options.random.bytes(16)).toString('hex');
  const meta: Meta = { store, generation: 0, previous: new Uint8Array(32), sums: new Sums() };
  const engine = await openEngine(options, true);
  try {
    await engine.write([{ key: META_KEY, value: seal(META_KEY, encodeMeta(meta)) }], []);
  } finally {
    await engine.close();
  }
  await writeHeads(options, headsOf(meta, new Map()));
}

const headsOf = (meta: Meta, heads: ReadonlyMap<string, string>): HeadsFile => ({
  store: meta.store,
  generation: meta.generation,
  meta: digestOfMeta(meta),
  heads,
  state: 'open',
});

async function openEngine(options: LevelOptions, create: boolean): Promise<Engine> {
  const open = options.openEngine ?? openLevelEngine;
  try {
    return await open(`${options.directory}/db`, create);
  } catch (cause) {
    const inner = (cause as { cause?: { code?: string } }).cause;
    const locked = inner?.code === 'LEVEL_LOCKED';
    const why = locked ? 'the store is open in another process' : 'the database cannot be opened';
    throw new HashfedError('STORAGE_FAILED', why, { cause });
  }
}

/** Compares database and HEADS; returns what both agree on, HEADS brought up to date in memory. */
async function reconcile(options: LevelOptions, engine: Engine): Promise<LevelState> {
  const bytes = await options.disk.readFile(`${options.directory}/HEADS`, MAX_HEADS_BYTES);
  const outside = parseHeads(bytes ?? damaged('HEADS', 'is missing'), options.headsKey);
  const raw =
    (await engine.getMany([META_KEY]))[0] ?? damaged('meta', 'is missing: the database was emptied');
  const meta = decodeMeta(unseal(META_KEY, raw));
  const heads = headsOf(meta, await readHeads(engine));
  if (meta.store !== outside.store) damaged('HEADS', 'belongs to another store');
  const ahead = meta.generation - outside.generation;
  if (ahead < 0) damaged('database', `lost ${-ahead} acknowledged writes: it is behind HEADS`);
  const explained = ahead === 1 && digestOfHeads(outside).equals(meta.previous);
  if (ahead > 0 && !explained) damaged('HEADS', 'is older than the database: one of them was put back');
  if (ahead === 0) requireSame(outside, heads);
  else requireGrown(outside, heads);
  const { problems } = await verifyRows(engine, { bulk: outside.state === 'open' });
  if (problems[0]) throw new HashfedError('STORAGE_FAILED', `the store is damaged: ${problems[0]}`);
  return { meta, heads };
}

async function readHeads(engine: Engine): Promise<Map<string, string>> {
  const heads = new Map<string, string>();
  for await (const { key, value } of scanRows(engine, rangeOf('head'))) {
    heads.set(new KeyReader(key).name(), headLine(value));
  }
  return heads;
}

function requireSame(outside: HeadsFile, inside: HeadsFile): void {
  if (!digestOfHeads(outside).equals(digestOfHeads(inside))) {
    damaged('head', 'differs from HEADS: the database was changed or put back');
  }
}

/** A batch that was not acknowledged may add and extend heads; it never takes any back. */
function requireGrown(outside: HeadsFile, inside: HeadsFile): void {
  for (const [origin, line] of outside.heads) {
    const now = inside.heads.get(origin) ?? damaged('head', 'is missing');
    if (Number(now.split(' ')[0]) < Number(line.split(' ')[0])) damaged('head', 'went back');
  }
}
