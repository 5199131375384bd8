import type { PreparedBatch } from '../storage/index.js';
import type { LogDeps } from './deps.js';

/** Prepared batches that are not hidden, oldest first. */
export async function openBatches(engine: Pick<LogDeps, 'storage'>): Promise<PreparedBatch[]> {
  const open: PreparedBatch[] = [];
  for (let pageToken = ''; ; ) {
    const page = await engine.storage.prepared.list({ pageSize: 1000, pageToken });
    open.push(...page.items.filter((batch) => !batch.hidden));
    if (page.nextPageToken === '') return open;
    pageToken = page.nextPageToken;
  }
}
