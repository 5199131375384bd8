import { decodeBundles, encodeBundles } from './list-codec.js';
import type { StoreParts } from './parts.js';
import { appendRecord, createLog, LOG_HEADER_BYTES, readLogHeader, readRecords } from './record-log.js';
import type { StagedBundles, StoredBundle } from './types.js';

export const STAGING_FILE = 'staging.log';

interface StagingLog {
  fileId: Uint8Array;
  end: number;
  sequence: number;
}

/** Opens what an interrupted first sync left, or nothing. A damaged staging log is nothing: it is pulled again. */
export async function openStaging(parts: StoreParts, directory: string): Promise<StagedBundles> {
  const { sealing, gate } = parts;
  const path = `${directory}/${STAGING_FILE}`;
  let log = await findLog(parts, path);
  const append = async (bundles: readonly StoredBundle[]) => {
    log ??= await startLog(parts, directory, path);
    const place = { path, fileId: log.fileId, at: log.end };
    log.end = await appendRecord(sealing, place, log.sequence + 1, encodeBundles(bundles));
    log.sequence += 1;
  };
  const discard = async () => {
    log = undefined;
    await sealing.disk.remove(path);
  };
  return {
    read: () => readStaged(parts, path, log),
    append: (bundles) => gate.run(() => append(bundles)),
    discard: () => gate.run(discard),
  };
}

async function startLog(parts: StoreParts, directory: string, path: string): Promise<StagingLog> {
  const { disk } = parts.sealing;
  await disk.makeDirectory(directory);
  await disk.remove(path);
  const fileId = await createLog(parts.sealing, path);
  await disk.syncDirectory(directory);
  return { fileId, end: LOG_HEADER_BYTES, sequence: 0 };
}

async function findLog(parts: StoreParts, path: string): Promise<StagingLog | undefined> {
  const { disk, master } = parts.sealing;
  if (!(await disk.exists(path))) return undefined;
  const file = await disk.open(path);
  try {
    const fileId = await readLogHeader(master, file, STAGING_FILE);
    const log = { fileId, end: LOG_HEADER_BYTES, sequence: 0 };
    for await (const record of readRecords(master, file, fileId, 1)) {
      log.end = record.end;
      log.sequence = record.sequence;
    }
    return log;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

async function* readStaged(parts: StoreParts, path: string, log: StagingLog | undefined) {
  if (log === undefined) return;
  const { disk, master } = parts.sealing;
  const last = log.sequence;
  const file = await disk.open(path);
  try {
    for await (const record of readRecords(master, file, log.fileId, 1)) {
      if (record.sequence > last) return;
      yield* decodeBundles(record.body);
    }
  } finally {
    await file.close();
  }
}
