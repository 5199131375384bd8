import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../../sdk/core/index.js';
import type { CommittedList } from './commit.js';

const DONE = 'committed.json';
const REQUEST = '.hfrequest';
/** Folders that `publish` made, by publish id; whatever else lies in an outbox is left alone. */
const BATCH_FOLDER = /^[0-9a-f]{32}$/;

/** Name of a key's request within a batch's folder. */
export const requestName = (role: 'list' | 'approve', publicKeyHex: string): string =>
  `${role}-${publicKeyHex.slice(0, 8)}${REQUEST}`;

/** A publication that was begun here and whose receipt is not here. */
export interface PendingBatch {
  readonly folder: string;
  readonly requests: readonly string[];
}

/** Writes the receipt; a batch without one is finished before the next. */
export async function markDone(folder: string, committed: readonly CommittedList[]): Promise<void> {
  const lists = committed.map(({ origin, checkpoint, committedMs }) => ({
    origin,
    size: checkpoint.size,
    root: toHex(checkpoint.root),
    committed_ms: committedMs,
  }));
  await writeFile(join(folder, DONE), `${JSON.stringify({ format: 1, lists }, null, 2)}\n`, { mode: 0o600 });
}

/** Batches of the outbox without a receipt, with their requests. */
export async function pendingBatches(outbox: string): Promise<PendingBatch[]> {
  const entries = await readdir(outbox, { withFileTypes: true }).catch(() => []);
  const pending: PendingBatch[] = [];
  for (const entry of entries.filter((one) => one.isDirectory() && BATCH_FOLDER.test(one.name))) {
    const folder = join(outbox, entry.name);
    const names = await readdir(folder);
    const requests = names.filter((name) => name.endsWith(REQUEST)).map((name) => join(folder, name));
    if (!names.includes(DONE) && requests.length > 0) pending.push({ folder, requests: requests.sort() });
  }
  return pending;
}
