import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CompactRange, equalBytes, formatVkey, HashfedError, keysFor } from '../../sdk/core/index.js';
import { pullEntries } from '../../sdk/sync/index.js';
import { writeNew } from '../pki/index.js';
import type { VerifiedList } from './list-source.js';

const HASH_BYTES = 32;

export interface ExportJob {
  readonly origin: string;
  readonly folder: string;
  readonly signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

/**
 * Writes a list as files that foreign tools can check: `entries.bin`, `leaves.hex`, `key.vkey`, `anchor` where there is
 * one, and `checkpoint` last, once the entries make its root: a folder without it is no export. Bounded memory. Throws
 * USAGE for a folder that is not empty, ROOT_MISMATCH.
 */
export async function exportList(list: VerifiedList, job: ExportJob): Promise<void> {
  const { deps, offer } = list;
  await makeFolder(job.folder);
  const root = await writeEntries(list, job);
  if (!equalBytes(root, offer.checkpoint.root))
    throw new HashfedError('ROOT_MISMATCH', 'the entries do not make the root of the checkpoint', {
      origin: job.origin,
    });
  const { sequencing } = keysFor(offer.root, job.origin);
  await writeNew(join(job.folder, 'key.vkey'), `${formatVkey(deps.suite.sha256, sequencing)}\n`, 0o644);
  if (offer.anchor !== undefined) await writeNew(join(job.folder, 'anchor'), offer.anchor.note, 0o644);
  await writeNew(join(job.folder, 'checkpoint'), offer.checkpoint.note, 0o644);
}

/** Throws USAGE for one that is not empty. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0)
    throw new HashfedError('USAGE', `${folder} is not empty; name a new folder`, { field: 'out' });
}

/** Answers the root of what was written. */
async function writeEntries({ deps, source, offer }: VerifiedList, job: ExportJob): Promise<Uint8Array> {
  const { origin, folder, signal } = job;
  const to = offer.checkpoint.size;
  const tree = CompactRange.empty(deps.suite.sha256);
  const entries = await open(join(folder, 'entries.bin'), 'wx', 0o600);
  const leaves = await open(join(folder, 'leaves.hex'), 'wx', 0o644);
  try {
    for await (const { bytes, count } of pullEntries(deps, source, { origin, from: 0, to, signal })) {
      const hashes = deps.suite.sha256.hashLeaves(bytes, count);
      tree.append(hashes);
      await writeAll(entries, bytes);
      await writeAll(leaves, hexLines(hashes));
      job.onProgress(tree.size, to);
    }
    await entries.sync();
    await leaves.sync();
  } finally {
    await entries.close();
    await leaves.close();
  }
  return tree.root();
}

const writeAll = (file: FileHandle, bytes: Uint8Array): Promise<void> => file.writeFile(bytes);

function hexLines(hashes: Uint8Array): Buffer {
  const hex = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length).toString('hex');
  const lines: string[] = [];
  for (let at = 0; at < hex.length; at += 2 * HASH_BYTES) lines.push(hex.slice(at, at + 2 * HASH_BYTES));
  return Buffer.from(`${lines.join('\n')}\n`, 'latin1');
}
