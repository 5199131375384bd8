import type { SignedBatch } from '../../../proto/gen/hashfed/v1/files.js';
import type { CommitBatchResponse } from '../../../proto/gen/hashfed/v1/publish.js';
import {
  equalBytes,
  formatNote,
  HashfedError,
  keysFor,
  parseNote,
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from '../../../sdk/core/index.js';
import { callUnary } from '../../../sdk/rpc/index.js';
import { PublishServiceService } from '../../../sdk/rpc/services/publish.js';
import { announce, rememberOwnHeads } from '../liveness/index.js';
import { COMMIT_MS } from './limits.js';
import type { Workstation } from './open.js';

/** One list as the server now serves it, verified under our own keys. */
export interface CommittedList {
  readonly origin: string;
  readonly checkpoint: VerifiedCheckpoint;
  readonly committedMs: number;
  /** Whether a liveness statement went with it: the live key was at hand. */
  readonly live: boolean;
}

/**
 * Hands in signed notes of one prepared batch; lines of several signers for one note are put together. Repeating it
 * is harmless. What was committed is remembered as our own, and said to live where the live key is at hand. Throws OLD_SIZE_MISMATCH where another batch came first, THRESHOLD_NOT_MET where a key is missing.
 */
export async function commitSigned(
  station: Workstation,
  batch: string,
  signed: readonly SignedBatch[],
  passphrase?: string,
): Promise<CommittedList[]> {
  const notes = [...mergeSigned(signed)].map(([origin, note]) => ({ origin, note }));
  const answer = await callUnary(
    station.channel,
    PublishServiceService.commitBatch,
    { batch, notes, partial: false },
    { deadlineMs: COMMIT_MS, signal: station.signal },
  );
  const committed = notes.map(({ origin }) => checkReceipt(station, answer, origin));
  const heads = committed.map(({ origin, checkpoint: { size, root, note } }) => ({
    origin,
    size,
    root,
    note,
  }));
  await rememberOwnHeads(station.paths.records, heads);
  const live = await announce(station, heads, passphrase);
  return committed.map((one) => ({ ...one, live }));
}

/** By origin: one note with every signer's lines. Throws MALFORMED where signers signed different bodies. */
export function mergeSigned(signed: readonly SignedBatch[]): Map<string, Uint8Array> {
  const merged = new Map<string, Uint8Array>();
  for (const { origin, note } of signed.flatMap((one) => one.notes)) {
    const held = merged.get(origin);
    merged.set(origin, held === undefined ? note : mergeNotes(held, note, origin));
  }
  return merged;
}

function mergeNotes(a: Uint8Array, b: Uint8Array, origin: string): Uint8Array {
  const [first, second] = [parseNote(a), parseNote(b)];
  if (first.body !== second.body)
    throw new HashfedError('MALFORMED', 'the signed files are of different batches', {
      origin,
      field: 'notes',
    });
  const lines = [...first.signatures, ...second.signatures].map(({ line }) => line);
  return formatNote(first.body, [...new Set(lines)]);
}

/** The receipt's note must be ours: same body, our sequencing key on it. */
function checkReceipt(
  station: Workstation,
  answer: CommitBatchResponse,
  origin: string,
): Omit<CommittedList, 'live'> {
  const receipt = answer.receipts.find(({ head }) => head?.origin === origin);
  if (receipt?.head === undefined)
    throw new HashfedError('MALFORMED', 'the server gave no receipt for a list', {
      origin,
      field: 'receipts',
    });
  const { clock, root, suite } = station;
  const policy = { keys: keysFor(root, origin), cosigners: { keys: [], needed: 0 } };
  const checkpoint = verifyCheckpoint(suite, policy, receipt.note, { nowMs: clock.nowMs() });
  if (!equalBytes(suite.sha256.digest(checkpoint.body), receipt.noteBodySha256))
    throw new HashfedError('ROOT_MISMATCH', 'the receipt is for another note', { origin });
  return { origin, checkpoint, committedMs: Number(receipt.committedMs) };
}
