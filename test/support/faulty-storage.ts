/** A disk and a database engine that fail at the n-th write, in a chosen way, for the fault tables. */
import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import {
  type Disk,
  type Engine,
  nodeDisk,
  type OpenEngine,
  openLevelEngine,
} from '../../server/storage/index.js';

/** failed: nothing happened. reported: it happened, and was reported as failed. torn: a part of it happened. */
export type FaultMode = 'failed' | 'reported' | 'torn';

export class FaultPlan {
  /** Names of the write points passed since `arm`. */
  points: string[] = [];
  #armed = false;
  #at = Number.POSITIVE_INFINITY;
  #mode: FaultMode = 'failed';
  /** What is left to do to the files once the store is closed. */
  afterClose: () => Promise<void> = async () => {};
  fired = false;

  arm(at = Number.POSITIVE_INFINITY, mode: FaultMode = 'failed'): void {
    [this.#armed, this.#at, this.#mode, this.points] = [true, at, mode, []];
  }

  async point(name: string, run: () => Promise<void>, tear: () => Promise<void>): Promise<void> {
    if (!this.#armed) return run();
    this.points.push(name);
    if (this.points.length - 1 !== this.#at) return run();
    this.fired = true;
    if (this.#mode === 'reported') await run();
    if (this.#mode === 'torn') await tear();
    throw Object.assign(new Error('injected'), { code: 'EIO' });
  }
}

export function faultyDisk(plan: FaultPlan): Disk {
  return {
    ...nodeDisk,
    writeFileDurable: (path, bytes) =>
      plan.point(
        `write ${path.split('/').at(-1)}`,
        () => nodeDisk.writeFileDurable(path, bytes),
        () => writeFile(path, bytes.subarray(0, bytes.length >> 1)),
      ),
    rename: (from, to) =>
      plan.point(
        `rename ${to.split('/').at(-1)}`,
        () => nodeDisk.rename(from, to),
        async () => {},
      ),
    fsyncDir: (path) =>
      plan.point(
        'fsync directory',
        () => nodeDisk.fsyncDir(path),
        async () => {},
      ),
    mkdir: (path) =>
      plan.point(
        'mkdir',
        () => nodeDisk.mkdir(path),
        async () => {},
      ),
  };
}

export function faultyEngine(plan: FaultPlan): OpenEngine {
  return async (directory, create) => {
    const engine = await openLevelEngine(directory, create);
    const faulty: Engine = {
      getMany: (keys) => engine.getMany(keys),
      iterate: (scan) => engine.iterate(scan),
      write: (puts, deletes) =>
        plan.point(
          'database batch',
          () => engine.write(puts, deletes),
          async () => {
            await engine.write(puts, deletes);
            plan.afterClose = () => tearLog(directory);
          },
        ),
      compact: (from, to) =>
        plan.point(
          'database compaction',
          () => engine.compact(from, to),
          async () => {},
        ),
      close: () => engine.close(),
    };
    return faulty;
  };
}

/** Cuts the last record of LevelDB's write-ahead log in two, as a power cut in the middle of writing it would. */
async function tearLog(directory: string): Promise<void> {
  for (const name of (await readdir(directory)).filter((one) => one.endsWith('.log'))) {
    const path = `${directory}/${name}`;
    const { length } = await readFile(path);
    if (length > 40) await truncate(path, length - 9);
    await appendFile(path, new Uint8Array(4));
  }
}
