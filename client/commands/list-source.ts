import { HashfedError } from '../../sdk/core/index.js';
import { openDeps } from '../../sdk/index.js';
import {
  askCheckpoint,
  judgeOffer,
  type Offer,
  RootBook,
  type Source,
  type SyncDeps,
} from '../../sdk/sync/index.js';
import type { CliContext } from '../cli/index.js';

/** A source of lists, and the newest checkpoint of one of them as it was verified under the pinned root. */
export interface VerifiedList {
  readonly deps: SyncDeps;
  readonly source: Source;
  readonly offer: Offer;
}

/** Asks the first source that answers for a list's newest checkpoint, verifies it, and runs `work` on it. */
export async function withList<T>(
  context: CliContext,
  origin: string,
  work: (list: VerifiedList) => Promise<T>,
): Promise<T> {
  const { clock, random } = context;
  const deps = await openDeps(await context.config(), { clock, random });
  try {
    return await work(await firstOffer(context, deps, origin));
  } finally {
    for (const { channel } of deps.sources) channel.close();
    await deps.store.close();
  }
}

async function firstOffer(context: CliContext, deps: SyncDeps, origin: string): Promise<VerifiedList> {
  const book = await RootBook.open(deps);
  let last: unknown;
  for (const source of deps.sources) {
    try {
      return { deps, source, offer: await offerOf(context, deps, book, source, origin) };
    } catch (error) {
      // What does not verify is told at once: another source that does would hide it.
      if (!(error instanceof HashfedError) || error.class === 'verification') throw error;
      last = error;
    }
  }
  throw last;
}

async function offerOf(
  { clock, signal }: CliContext,
  deps: SyncDeps,
  book: RootBook,
  source: Source,
  origin: string,
): Promise<Offer> {
  for (const publisher of book.candidates(origin)) await book.refresh(source, publisher, signal);
  const { bundle, minWaitMs } = await askCheckpoint(source, origin, signal);
  if (bundle.note.length === 0)
    throw new HashfedError('NOT_FOUND', 'nothing was published in this list yet', { origin });
  const judging = { deps, source, root: book.of(origin), origin, nowMs: clock.nowMs(), signal };
  return judgeOffer(judging, bundle, minWaitMs);
}

/** A size or index as typed. Throws USAGE. */
export function readIndex(text: string, option: string): number {
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw new HashfedError('USAGE', `--${option} must be a whole number`, { field: option });
  return value;
}
