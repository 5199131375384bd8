import { readFile } from 'node:fs/promises';
import { HashfedError, keysFor, malformed, verifyCheckpoint } from '../../../sdk/core/index.js';
import { parseSigned } from '../signer/index.js';
import type { Workstation } from '../workstation/index.js';
import { type OwnHead, rememberOwnHeads } from './own-heads.js';

/** Notes of 256 lists at 64 KiB, and what is around them. */
const MAX_SIGNED_BYTES = 17 * 1024 * 1024;

/** Takes the notes of signed files as our own heads, for a desk that did not hand them in itself. Throws USAGE, BAD_SIGNATURE. */
export async function takeHanded(station: Workstation, files: readonly string[]): Promise<OwnHead[]> {
  const heads: OwnHead[] = [];
  for (const file of files) heads.push(...(await headsOf(station, file)));
  await rememberOwnHeads(station.paths.records, heads);
  return heads;
}

async function headsOf({ clock, root, suite }: Workstation, file: string): Promise<OwnHead[]> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read ${file}`, { field: 'handed', cause });
  });
  if (bytes.length > MAX_SIGNED_BYTES) malformed('signed batch', `is over ${MAX_SIGNED_BYTES} bytes`);
  const { notes } = parseSigned(new Uint8Array(bytes));
  return notes.map(({ origin, note }) => {
    const policy = { keys: keysFor(root, origin), cosigners: { keys: [], needed: 0 } };
    const { size, root: treeRoot } = verifyCheckpoint(suite, policy, note, { nowMs: clock.nowMs() });
    return { origin, size, root: treeRoot, note };
  });
}
