import { BatchFile } from '../../../proto/gen/hashfed/v1/files.js';
import { malformed, parseOrigin } from '../../../sdk/core/index.js';
import { BATCH_FILE, decodeMessage, FramedReader } from '../files/index.js';

const MAX_LISTS = 256;

/** A batch file whose message was checked and whose bundles follow, list by list. MUST be closed. */
export interface OpenBatch {
  readonly batch: BatchFile;
  readonly reader: FramedReader;
}

/** Throws USAGE, MALFORMED, UPGRADE_REQUIRED. */
export async function openBatch(file: string): Promise<OpenBatch> {
  const reader = await FramedReader.open(file, BATCH_FILE);
  try {
    const batch = decodeMessage(BATCH_FILE, BatchFile, reader.message);
    if (batch.publishId.length !== 16) malformed('publish_id', 'needs 16 bytes');
    if (batch.lists.length === 0 || batch.lists.length > MAX_LISTS)
      malformed('lists', `needs 1 to ${MAX_LISTS}`);
    batch.lists.forEach(({ origin }, i) => {
      const before = batch.lists[i - 1]?.origin ?? '';
      if (parseOrigin(origin).text <= before) malformed('lists', 'are not ascending by origin');
    });
    return { batch, reader };
  } catch (error) {
    await reader.close();
    throw error;
  }
}
