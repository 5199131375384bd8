import type { BatchFile } from '../../../proto/gen/hashfed/v1/files.js';
import { type Clock, HashfedError, type HashType, type Random } from '../../../sdk/core/index.js';
import { type Importer, type RefusedRow, refusedRowsWriter } from '../import/index.js';
import { BatchBuilder } from './builder.js';
import { leavesOf, pooledRandom } from './items.js';

/** Refused rows that an answer quotes; all of them stand in the CSV file. */
const MAX_QUOTED = 5;

export interface ImportJob {
  readonly importer: Importer;
  readonly source: AsyncIterable<Uint8Array>;
  /** Name of the source for people, without its path. */
  readonly sourceName: string;
  readonly batchFile: string;
  /** Where refused rows go, as CSV in the source's own columns. */
  readonly refusedFile: string;
  /** The list for a hash type. Throws USAGE where the publisher has none. */
  readonly originOf: (type: HashType) => string;
  readonly random: Random;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told every 1,000 rows. */
  readonly onRows?: (rows: number) => void;
}

export interface ImportOutcome {
  readonly batch: BatchFile;
  readonly rows: number;
  readonly items: number;
  readonly refused: number;
  /** The first few, for the terminal. */
  readonly firstRefused: readonly RefusedRow[];
}

/** Reads a source into a batch file; every row ends in it or among the refused ones. Memory does not grow with rows. */
export async function importToBatch(job: ImportJob): Promise<ImportOutcome> {
  const builder = await BatchBuilder.create(job.batchFile, job.random);
  const refused = refusedRowsWriter(job.refusedFile);
  const random = pooledRandom(job.random);
  const firstRefused: RefusedRow[] = [];
  let items = 0;
  try {
    for await (const event of job.importer.read(job.source, job.signal)) {
      if (event.kind === 'item') {
        items += 1;
        for (const [type, leaf] of leavesOf(event.item, random)) await builder.put(job.originOf(type), leaf);
      } else {
        if (firstRefused.length < MAX_QUOTED) firstRefused.push(event.row);
        await refused.write(event.row);
      }
      const rows = items + refused.count;
      if (rows % 1000 === 0) job.onRows?.(rows);
    }
    if (items === 0 && refused.count > 0) throw allRefused(job, refused.count, firstRefused[0]!);
    const batch = await builder.finish({
      createdMs: job.clock.nowMs(),
      source: job.sourceName,
      refusedRows: refused.count,
    });
    return { batch, rows: items + refused.count, items, refused: refused.count, firstRefused };
  } catch (error) {
    await builder.abort();
    throw error;
  } finally {
    await refused.close();
  }
}

function allRefused(job: ImportJob, count: number, { line, field, reason }: RefusedRow): HashfedError {
  const message = `every row of ${job.sourceName} was refused (${count}); line ${line}: ${field}: ${reason}; all reasons are in ${job.refusedFile}`;
  return new HashfedError('USAGE', message, { field: 'file' });
}
