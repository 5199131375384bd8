import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Audit,
  auditLog,
  bundleOffset,
  CompactRange,
  checkBundle,
  equalBytes,
  HashfedError,
  malformed,
  type NoteKey,
  parseCheckpoint,
  parseOrigin,
  parseVkey,
  type Suite,
  verifyNote,
} from '../../sdk/core/index.js';

/** Bytes of entries that are held in memory at once: about ten million entries of a sha256 list. */
const MAX_ENTRIES_BYTES = 2 * 1024 ** 3 - 1;
const MAX_SMALL_BYTES = 64 * 1024;
const MAX_LEAVES = 2 ** 31;
/** Entries of one bundle that is hashed at a time. */
const PIECE = 4096;

export interface VerifiedExport {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** The key that was verified with, C2SP. */
  readonly key: NoteKey;
  readonly audit: Audit;
}

/**
 * Verifies an export from its first entry: signature, leaf hashes, root, and every SEAL's count, chain and digest.
 * `vkey` is the key that must have signed; without it the export's own key only shows that the files belong together.
 * Throws USAGE, MALFORMED, BAD_SIGNATURE, ROOT_MISMATCH, NOT_SEALED, PUBLISHER_INVALID, UPGRADE_REQUIRED.
 */
export async function verifyExport(
  suite: Suite,
  folder: string,
  vkey: string | undefined,
): Promise<VerifiedExport> {
  const key = parseVkey(suite.sha256, vkey ?? (await readText(join(folder, 'key.vkey'))).trimEnd());
  const checkpoint = openCheckpoint(suite, key, await readSmall(join(folder, 'checkpoint')));
  const bundles = splitEntries(await readEntries(join(folder, 'entries.bin')));
  const { origin, size, root } = checkpoint;
  checkTree(suite, bundles, checkpoint, await readFileOr(join(folder, 'leaves.hex')));
  const audit = auditLog(
    parseOrigin(origin),
    suite.sha256,
    bundles.map(({ bytes }) => bytes),
  );
  judgeAudit(origin, audit);
  return { origin, size, root, key, audit };
}

function openCheckpoint(suite: Suite, key: NoteKey, note: Uint8Array) {
  const { body, verified } = verifyNote(suite, note, [key]);
  if (verified.length === 0)
    throw new HashfedError('BAD_SIGNATURE', 'the checkpoint is not signed by this key', { field: 'key' });
  const checkpoint = parseCheckpoint(body);
  if (checkpoint.origin !== key.name)
    throw new HashfedError('BAD_SIGNATURE', 'the checkpoint is of another list than its key', {
      origin: checkpoint.origin,
    });
  return checkpoint;
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Views of a few thousand whole entries each; no copy. */
function splitEntries(all: Uint8Array): Piece[] {
  if (all.length === 0) return [];
  let left = checkBundle(all, MAX_LEAVES);
  const pieces: Piece[] = [];
  for (let at = 0; left > 0; ) {
    const count = Math.min(PIECE, left);
    const length = bundleOffset(all.subarray(at), count);
    pieces.push({ bytes: all.subarray(at, at + length), count });
    at += length;
    left -= count;
  }
  return pieces;
}

function checkTree(
  suite: Suite,
  pieces: readonly Piece[],
  { origin, size, root }: { origin: string; size: number; root: Uint8Array },
  leavesHex: Buffer,
): void {
  const tree = CompactRange.empty(suite.sha256);
  for (const { bytes, count } of pieces) {
    const hashes = suite.sha256.hashLeaves(bytes, count);
    checkLeafLines(leavesHex, hashes, tree.size, count);
    tree.append(hashes);
  }
  if (leavesHex.length !== tree.size * LINE) malformed('leaves.hex', 'has another number of lines');
  if (tree.size === size && equalBytes(tree.root(), root)) return;
  throw new HashfedError('ROOT_MISMATCH', 'the entries do not make the root of the checkpoint', { origin });
}

/** 64 digits and a line end. */
const LINE = 65;

function checkLeafLines(leavesHex: Buffer, hashes: Uint8Array, from: number, count: number): void {
  const hex = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length).toString('hex');
  for (let i = 0; i < count; i++) {
    const line = leavesHex.toString('latin1', (from + i) * LINE, (from + i + 1) * LINE);
    if (line !== `${hex.slice(i * 64, (i + 1) * 64)}\n`)
      throw new HashfedError(
        'ROOT_MISMATCH',
        `leaves.hex: line ${from + i + 1} is not the hash of its entry`,
      );
  }
}

/** The last entry must be a SEAL, and every SEAL must be right. */
function judgeAudit(origin: string, { size, seals, stopped }: Audit): void {
  if (stopped !== null)
    throw new HashfedError('UPGRADE_REQUIRED', `entry ${stopped.index} needs a newer version`, { origin });
  if (seals.at(-1)?.index !== size - 1)
    throw new HashfedError('NOT_SEALED', 'the list does not end with a SEAL', { origin });
  const bad = seals.find(({ setCountOk, setDigestOk }) => !setCountOk || setDigestOk === false);
  if (bad !== undefined)
    throw new HashfedError('PUBLISHER_INVALID', `the SEAL at ${bad.index} does not describe the set`, {
      origin,
    });
}

async function readEntries(file: string): Promise<Uint8Array> {
  const { size } = await stat(file).catch(cannotRead(file));
  if (size > MAX_ENTRIES_BYTES) throw new HashfedError('USAGE', `${file} is over 2 GiB`, { field: 'DIR' });
  return readFileOr(file);
}

async function readSmall(file: string): Promise<Uint8Array> {
  const { size } = await stat(file).catch(cannotRead(file));
  if (size > MAX_SMALL_BYTES) malformed('checkpoint', `is over ${MAX_SMALL_BYTES} bytes`);
  return readFileOr(file);
}

const readText = async (file: string): Promise<string> => Buffer.from(await readSmall(file)).toString('utf8');

const readFileOr = (file: string): Promise<Buffer> => readFile(file).catch(cannotRead(file));

function cannotRead(file: string) {
  return (cause: unknown): never => {
    throw new HashfedError(
      'USAGE',
      `cannot read ${file}; an export has checkpoint, entries.bin, leaves.hex, key.vkey`,
      {
        field: 'DIR',
        cause,
      },
    );
  };
}
