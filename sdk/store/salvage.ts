import { Column } from './column-format.js';
import { ColumnReader } from './column-reader.js';
import type { HeadFile } from './list-codec.js';
import { listDirectory } from './list-paths.js';
import { scanLog } from './loaded-list.js';
import { readHeadFile, type StoreParts } from './parts.js';
import type { ListHead, Salvage, SalvagedBucket } from './types.js';

/** Opens what is left of a list. Whatever cannot be read counts as lost; this never fails for damage. */
export async function openSalvage(parts: StoreParts, origin: string): Promise<Salvage> {
  const file = await readHeadFile(parts, origin).catch(() => undefined);
  if (file === undefined) return new SalvagedList(undefined, 0, undefined);
  const base = `${listDirectory(parts.root, origin)}/${file.directory}`;
  const { rows: ref, bucketBits } = file.segment;
  const rows = await ColumnReader.open(parts.sealing, base, Column.rows, ref).catch(() => undefined);
  return new SalvagedList(await newestHead(parts, base, file), bucketBits, rows);
}

/** Records of the delta log are authentic up to the first that is not: the last of them has the newest head. */
async function newestHead({ sealing }: StoreParts, base: string, file: HeadFile): Promise<ListHead> {
  const log = await sealing.disk.open(`${base}/deltas.log`).catch(() => undefined);
  if (log === undefined) return file.base;
  const state = await scanLog(sealing, log, file).catch(() => undefined);
  await log.close();
  return state?.head ?? file.base;
}

class SalvagedList implements Salvage {
  readonly head: ListHead | undefined;
  readonly bucketBits: number;
  readonly #rows: ColumnReader | undefined;

  constructor(head: ListHead | undefined, bucketBits: number, rows: ColumnReader | undefined) {
    this.head = head;
    this.bucketBits = bucketBits;
    this.#rows = rows;
  }

  /** A bucket is given only where every block that it touches is authentic; memory: one block and one bucket. */
  async *buckets(): AsyncGenerator<SalvagedBucket> {
    const rows = this.#rows;
    if (rows === undefined) return;
    const { table } = rows;
    let bucket = 0;
    let held: Uint8Array = new Uint8Array();
    let heldFrom = 0;
    for await (const { from, bytes } of rows.authenticBlocks()) {
      const follows = from === heldFrom + held.length;
      if (!follows) heldFrom = from;
      held = follows && held.length > 0 ? new Uint8Array(Buffer.concat([held, bytes])) : bytes;
      const end = heldFrom + held.length;
      while (bucket + 1 < table.length && table[bucket]! < heldFrom) bucket++;
      for (; bucket + 1 < table.length && table[bucket + 1]! <= end; bucket++) {
        const [start, stop] = [table[bucket]! - heldFrom, table[bucket + 1]! - heldFrom];
        if (stop > start) yield { bucket, rows: held.subarray(start, stop) };
      }
      const used = Math.min(held.length, Math.max(0, table[bucket]! - heldFrom));
      held = held.subarray(used);
      heldFrom += used;
    }
  }

  async close(): Promise<void> {
    await this.#rows?.close();
  }
}
