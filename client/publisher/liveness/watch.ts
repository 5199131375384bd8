import {
  type ErrorCode,
  equalBytes,
  HashfedError,
  keysFor,
  verifyCheckpoint,
} from '../../../sdk/core/index.js';
import { callUnary } from '../../../sdk/rpc/index.js';
import { PublishServiceService } from '../../../sdk/rpc/services/publish.js';
import type { Workstation } from '../workstation/index.js';
import type { OwnHead } from './own-heads.js';
import { liveSigner, ownHeads, putLiveness } from './sign.js';

const CALL_MS = 30_000;

/** What the server shows of one of our lists, held against what our signers released. */
export interface Watched {
  readonly origin: string;
  /** Of our own head. */
  readonly size: number;
  /** What the server shows; 0 where it shows nothing. */
  readonly shownSize: number;
  /**
   * `same`: as it should be. `EQUIVOCATION`: another root of our size. `ROLLBACK`: an older state than we handed in.
   * `SIGNER_BEHIND`: a longer history under our key than this workstation knows of. Else: why the note does not count.
   */
  readonly verdict: 'same' | ErrorCode;
  /** The note that the server showed, verbatim; evidence where the verdict is an alarm. */
  readonly shownNote: Uint8Array;
}

export interface WatchRound {
  readonly lists: readonly Watched[];
  /** Whether liveness statements were handed in; false where the live key is not at hand. */
  readonly signed: boolean;
}

/**
 * One round: compares what the server shows with our own heads, then signs liveness of our own heads, never of what
 * was shown. A list whose history is longer than we know is not vouched for: our sequencing key may be in other hands.
 * Throws what the calls throw.
 */
export async function watchOnce(station: Workstation, passphrase: string | undefined): Promise<WatchRound> {
  const heads = await ownHeads(station.paths.records, station.root);
  const lists: Watched[] = [];
  for (const head of heads) lists.push(await compareOne(station, head));
  const unknown = new Set(
    lists.filter(({ verdict }) => verdict === 'SIGNER_BEHIND').map(({ origin }) => origin),
  );
  const signer = await liveSigner(station, passphrase);
  const vouched = heads.filter(({ origin }) => !unknown.has(origin));
  if (signer === undefined || vouched.length === 0) return { lists, signed: false };
  await putLiveness(station, signer, vouched);
  return { lists, signed: true };
}

async function compareOne(station: Workstation, head: OwnHead): Promise<Watched> {
  const { origin, size } = head;
  const { channel, signal } = station;
  const limits = { deadlineMs: CALL_MS, signal };
  const { checkpoint } = await callUnary(channel, PublishServiceService.getPublishState, { origin }, limits);
  const shownNote = checkpoint?.note ?? new Uint8Array();
  try {
    return { origin, size, shownNote, ...judge(station, head, shownNote) };
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    return { origin, size, shownNote, shownSize: 0, verdict: error.code };
  }
}

function judge(
  { clock, root, suite }: Workstation,
  head: OwnHead,
  note: Uint8Array,
): Pick<Watched, 'shownSize' | 'verdict'> {
  if (note.length === 0) return { shownSize: 0, verdict: 'ROLLBACK' };
  const policy = { keys: keysFor(root, head.origin), cosigners: { keys: [], needed: 0 } };
  const shown = verifyCheckpoint(suite, policy, note, { nowMs: clock.nowMs() });
  const shownSize = shown.size;
  if (shownSize < head.size) return { shownSize, verdict: 'ROLLBACK' };
  if (shownSize > head.size) return { shownSize, verdict: 'SIGNER_BEHIND' };
  return { shownSize, verdict: equalBytes(shown.root, head.root) ? 'same' : 'EQUIVOCATION' };
}
