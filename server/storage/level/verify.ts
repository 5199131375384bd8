/** Reads every row as of one moment and compares each table with its sum. */
import { HashfedError } from '../../../sdk/core/index.js';
import type { KernelReport } from '../kernel.js';
import { TABLES, type TableName, tableOf } from '../keys.js';
import { unseal } from '../sealed.js';
import type { Engine } from './engine.js';
import { decodeMeta, META_KEY } from './meta.js';
import { sealedRows } from './scan.js';
import { Sums } from './sums.js';

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Also the large tables; without them a start stays fast however long the logs are. */
  readonly bulk: boolean;
}

/** The meta row comes last in key order, so one scan sees rows and sums of the same moment. */
export async function verifyRows(engine: Engine, { signal, bulk }: VerifyOptions): Promise<KernelReport> {
  if (!bulk) return verifySmall(engine, signal);
  const problems: string[] = [];
  const sums = new Sums();
  let [rows, stored] = [0, undefined as Sums | undefined];
  const all = { from: new Uint8Array(0), to: Uint8Array.of(0xff, 0xff) };
  for await (const { key, value } of sealedRows(engine, { ...all, ...(signal && { signal }) })) {
    rows += 1;
    const plain = check(key, value, problems);
    if (tableOf(key) === 'unknown') problems.push('a key of no known table is stored');
    if (tableOf(key) !== 'meta') sums.add(key, value);
    else if (plain) stored = decodeMeta(plain).sums;
  }
  compare(sums, stored, problems, Object.keys(TABLES) as TableName[]);
  return { rows, problems };
}

/** For start-up, before anybody writes: the small tables only. */
async function verifySmall(engine: Engine, signal?: AbortSignal): Promise<KernelReport> {
  const problems: string[] = [];
  const sums = new Sums();
  let rows = 0;
  const names = (Object.keys(TABLES) as TableName[]).filter((name) => !TABLES[name].bulk && name !== 'meta');
  for (const name of names) {
    const id = TABLES[name].id;
    const range = { from: Uint8Array.of(id), to: Uint8Array.of(id + 1), ...(signal && { signal }) };
    for await (const { key, value } of sealedRows(engine, range)) {
      rows += 1;
      check(key, value, problems);
      sums.add(key, value);
    }
  }
  const meta = (await engine.getMany([META_KEY]))[0];
  const plain = meta && check(META_KEY, meta, problems);
  compare(sums, plain && decodeMeta(plain).sums, problems, names);
  return { rows, problems };
}

function check(key: Uint8Array, value: Uint8Array, problems: string[]): Uint8Array | undefined {
  try {
    return unseal(key, value);
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

function compare(
  sums: Sums,
  stored: Sums | undefined,
  problems: string[],
  names: readonly TableName[],
): void {
  if (!stored) {
    problems.push('stored meta is missing');
    return;
  }
  for (const name of names) {
    const [found, expected] = [sums.of(TABLES[name].id), stored.of(TABLES[name].id)];
    if (found.rows === expected.rows && found.sum === expected.sum) continue;
    problems.push(`the ${name} table has ${found.rows} rows where ${expected.rows} were written, or others`);
  }
}
