import { HashfedError } from '../core/index.js';
import { damaged } from './body.js';
import { readHeadFile, type StoreParts } from './parts.js';
import { appendRecord, LOG_HEADER_BYTES, readRecords } from './record-log.js';

const moved = () => new HashfedError('OLD_SIZE_MISMATCH', 'the list moved on while its rebuild was written');

/**
 * Copies the deltas committed after `folded` into the log of a new base whose own sequence is `base`; answers
 * how many. They keep their order and get new sequences. Memory: one record.
 */
export async function carryDeltas(
  parts: StoreParts,
  list: { origin: string; directory: string },
  folded: number,
  to: { path: string; fileId: Uint8Array; base: number },
): Promise<number> {
  const { sealing, head } = parts;
  const file = await readHeadFile(parts, list.origin);
  if (file === undefined || file.sequence > folded) throw moved();
  const log = await sealing.disk.open(`${list.directory}/${file.directory}/deltas.log`);
  let last = file.sequence;
  let at = LOG_HEADER_BYTES;
  let count = 0;
  try {
    for await (const record of readRecords(sealing.master, log, file.logId, file.sequence + 1)) {
      last = record.sequence;
      if (record.sequence <= folded) continue;
      count += 1;
      at = await appendRecord(sealing, { ...to, at }, to.base + count, record.body);
    }
  } finally {
    await log.close();
  }
  if (last < head.listSequence(list.origin) || last < folded)
    throw damaged(list.origin, 'its deltas were cut');
  return count;
}
