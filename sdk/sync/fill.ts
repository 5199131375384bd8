import { HashfedError, MAX_DELTA_ENTRIES } from '../core/index.js';
import type { StagedBundles, StoredBundle } from '../store/index.js';
import type { Attempt } from './advance.js';
import { STAGE_BYTES } from './limits.js';
import { pullEntries } from './pull.js';
import { type Goal, RangeBuilder, type VerifiedRange } from './stage.js';
import type { Content } from './stored-content.js';

/** What an earlier attempt left is used first. If the result is wrong, it may have been that: once more without. */
export async function fillAndVerify(
  attempt: Attempt,
  base: Content,
  goal: Goal,
  staged: StagedBundles | undefined,
): Promise<VerifiedRange> {
  const builder = new RangeBuilder(base, goal);
  let resumed = false;
  try {
    return await discardOnError(builder, async () => {
      resumed = staged !== undefined && (await readStaged(attempt, builder, goal, staged));
      await pullStaged(attempt, builder, goal, staged);
      return builder.finish();
    });
  } catch (error) {
    if (!(error instanceof HashfedError) || !isBadData(error)) throw error;
    await staged?.discard();
    if (!resumed) throw error;
    return await fillAndVerify(attempt, base, goal, staged);
  }
}

const isBadData = ({ code, class: kind }: HashfedError): boolean =>
  kind === 'verification' || code === 'MALFORMED' || code === 'UPGRADE_REQUIRED';

async function readStaged(
  attempt: Attempt,
  builder: RangeBuilder,
  { target }: Goal,
  staged: StagedBundles,
): Promise<boolean> {
  let any = false;
  for await (const bundle of staged.read()) {
    const fits = bundle.firstIndex === builder.next && builder.next + bundle.count <= target.size;
    if (!fits && !any) await staged.discard();
    if (!fits && !any) return false;
    if (!fits) throw new HashfedError('ROOT_MISMATCH', 'what was staged does not fit the checkpoint');
    builder.add(bundle);
    any = true;
    progress(attempt, builder.next);
  }
  return any;
}

/** Entries go to the disk as they come, one write behind the network, so that a cut sync goes on where it was. */
async function pullStaged(
  attempt: Attempt,
  builder: RangeBuilder,
  goal: Goal,
  staged: StagedBundles | undefined,
): Promise<void> {
  const { deps, replica, offer, options } = attempt;
  const range = {
    origin: replica.origin.text,
    from: builder.next,
    to: goal.target.size,
    signal: options.signal,
  };
  const keep = range.to - builder.staging.replay.set.from > MAX_DELTA_ENTRIES ? staged : undefined;
  let waiting: StoredBundle[] = [];
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = async () => {
    const batch = waiting;
    waiting = [];
    bytes = 0;
    await writing;
    if (batch.length > 0) writing = keep?.append(batch) ?? Promise.resolve();
    writing.catch(() => {});
  };
  try {
    for await (const bundle of pullEntries(deps, offer.source, range)) {
      builder.add(bundle);
      if (keep !== undefined) waiting.push(bundle);
      bytes += bundle.bytes.length;
      if (bytes >= STAGE_BYTES) await flush();
      progress(attempt, builder.next);
    }
  } catch (error) {
    await flush().catch(() => {});
    await writing.catch(() => {});
    throw error;
  }
  await writing;
}

/** A builder that failed lets go of the rows it took. */
export async function discardOnError<T>(builder: RangeBuilder, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    builder.discard();
    throw error;
  }
}

function progress({ replica, offer, options }: Attempt, next: number): void {
  options.onProgress?.(next - replica.size, offer.checkpoint.size - replica.size);
}
