import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import { HashfedError } from '../core/index.js';
import { type Advance, advance } from './advance.js';
import { foldDeltas } from './commit.js';
import { isFork, keepEvidence } from './evidence.js';
import type { Offer } from './offer.js';
import {
  type Answers,
  type Asking,
  asHashfed,
  askAll,
  type Failed,
  judgeServed,
  toFailure,
} from './offers.js';
import type { Publishers } from './publishers.js';
import type { ListReplica } from './replica.js';
import type { Source, SyncAlarm, SyncEnvironment, SyncOptions, SyncResult } from './types.js';

/** What every sync rests on. */
export interface SyncDeps {
  readonly env: SyncEnvironment;
  readonly publishers: Publishers;
  /** At least one. */
  readonly sources: readonly Source[];
}

/** Errors that no other source mends. */
const FINAL = new Set(['EQUIVOCATION', 'STORAGE_FAILED', 'CANCELLED', 'UPGRADE_REQUIRED', 'INTERNAL']);

/**
 * Brings one list up to date: asks every source, takes the best offer, verifies, applies, commits. A source that
 * serves something wrong is passed over for the next one; a fork ends the sync, its evidence kept. Killed anywhere, it
 * resumes or repeats. Throws the gravest failure where no source helped; the last good state stays.
 */
export function syncList(
  deps: SyncDeps,
  replica: ListReplica,
  options: SyncOptions = {},
): Promise<SyncResult> {
  return replica.exclusive(() => run(deps, replica, options, (asking) => askAll(asking)));
}

/** As `syncList`, with what one source has just said: no question is asked, and no other source is tried. */
export function syncOffered(
  deps: SyncDeps,
  replica: ListReplica,
  source: Source,
  bundle: CheckpointBundle,
  options: SyncOptions = {},
): Promise<SyncResult> {
  const ask = async (asking: Asking): Promise<Answers> => {
    const offer = await judgeServed(asking, source, bundle, 0, asking.env.clock.nowMs());
    return { offers: offer === undefined ? [] : [offer], failed: [], empty: offer === undefined ? 1 : 0 };
  };
  return replica.exclusive(() => run({ ...deps, sources: [source] }, replica, options, ask));
}

async function run(
  deps: SyncDeps,
  replica: ListReplica,
  options: SyncOptions,
  ask: (asking: Asking) => Promise<Answers>,
): Promise<SyncResult> {
  const { env, publishers, sources } = deps;
  try {
    if (replica.broken) await replica.reload();
    const answers = await ask({ env, publishers, sources, replica, signal: options.signal });
    return await tryOffers(env, replica, options, answers);
  } catch (error) {
    await keepEvidence(env.store.documents, replica.origin.text, error);
    throw error;
  }
}

async function tryOffers(
  env: SyncEnvironment,
  replica: ListReplica,
  options: SyncOptions,
  { offers, failed, empty }: Answers,
): Promise<SyncResult> {
  const failures = [...failed];
  const from = replica.size;
  for (const failure of failed) if (FINAL.has(failure.error.code)) throw failure.error;
  for (const offer of offers) {
    try {
      const done = await advance({ env, replica, offer, options });
      confirmClock(replica, offer);
      await foldDeltas(replica);
      for (const { error } of failures) await keepEvidence(env.store.documents, replica.origin.text, error);
      return resultOf(replica, from, offer, done, failures);
    } catch (cause) {
      const error = asHashfed(cause);
      if (isFork(error) || FINAL.has(error.code) || options.signal?.aborted) throw error;
      failures.push({ source: offer.source, error });
    }
  }
  if (failures.length === 0 && empty > 0) return emptyResult(replica);
  for (const { error } of failures) await keepEvidence(env.store.documents, replica.origin.text, error);
  throw gravest(failures, replica.origin.text);
}

/** A fresh statement that was just received and agrees with our clock vouches for it. */
function confirmClock({ guard }: ListReplica, { freshness }: Offer): void {
  if (freshness !== undefined) guard.confirm(freshness.statement.issuedAtMs);
}

const GRAVITY = ['verification', 'identity', 'usage', 'stale', 'failed'];

function gravest(failures: readonly Failed[], origin: string): HashfedError {
  const [first] = [...failures].sort(
    (a, b) => GRAVITY.indexOf(a.error.class) - GRAVITY.indexOf(b.error.class),
  );
  if (first === undefined) return new HashfedError('USAGE', 'there is no source to sync from', { origin });
  const { code, message, detail } = first.error;
  return new HashfedError(code, message, { origin, ...detail, cause: first.error });
}

function resultOf(
  replica: ListReplica,
  from: number,
  offer: Offer,
  done: Advance,
  failures: readonly Failed[],
): SyncResult {
  return {
    origin: replica.origin.text,
    path: done.path,
    from,
    to: replica.size,
    added: done.added,
    removed: done.removed,
    standing: replica.standing(),
    source: offer.source.name,
    failures: failures.map(toFailure),
    alarms: [...offer.alarms, ...rangeAlarms(done)],
    minWaitMs: offer.minWaitMs,
  };
}

function rangeAlarms({ range }: Advance): SyncAlarm[] {
  if (range === undefined) return [];
  const alarms: SyncAlarm[] = range.holds
    .filter(({ index }) => index >= range.fromSize)
    .map(({ index, untilMs }) => ({ kind: 'hold', index, untilMs }));
  if (range.anomalies.count > 0) alarms.push({ kind: 'anomalies', count: range.anomalies.count });
  return alarms;
}

function emptyResult(replica: ListReplica): SyncResult {
  const none = { added: 0, removed: 0, source: '', failures: [], alarms: [], minWaitMs: 0 };
  return { origin: replica.origin.text, path: 'none', from: 0, to: 0, standing: replica.standing(), ...none };
}
