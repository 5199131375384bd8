import { HashfedError } from '../core/index.js';
import { type Advance, advance } from './advance.js';
import { noChanges } from './changes.js';
import { guardOf } from './clock-guard.js';
import { foldDeltas } from './commit.js';
import type { SyncDeps } from './deps.js';
import { keepEvidence } from './evidence.js';
import type { Offer } from './offer.js';
import { type Answers, asHashfed, askAll, type Failed, toFailure } from './offers.js';
import type { ListReplica } from './replica.js';
import type { RootBook } from './root-book.js';
import type { Damage } from './stored-content.js';
import type { SyncAlarm, SyncOptions, SyncResult } from './types.js';

/** Errors that no other source mends: a fork, our own disk, our own age. */
const FINAL = new Set(['EQUIVOCATION', 'STORAGE_FAILED', 'CANCELLED', 'UPGRADE_REQUIRED', 'INTERNAL']);

/** What a peer merely claims (a fork, that our disk failed) ends nothing: it may lie. */
const isFinal = ({ code, detail }: HashfedError): boolean => FINAL.has(code) && detail.claimed !== true;

/**
 * Brings one list up to date: asks every source, takes the best offer, verifies, applies, commits. A source that
 * serves something wrong is passed over for the next one; a fork ends the sync, its evidence kept. A list damaged on
 * disk is repaired with the buckets that can still be read. Killed anywhere, it resumes or repeats. Throws the gravest failure where no source helped; the last good state stays.
 */
export function syncList(
  deps: SyncDeps,
  book: RootBook,
  replica: ListReplica,
  options: SyncOptions = {},
): Promise<SyncResult> {
  return replica.exclusive(async () => {
    try {
      if (replica.broken) await replica.recover();
      await replica.ready();
      const answers = await askAll({ deps, book, replica, signal: options.signal });
      return await tryOffers({ deps, book, replica, options }, answers);
    } catch (error) {
      await keepEvidence(deps, replica.origin.text, error);
      throw error;
    }
  });
}

interface Trying {
  readonly deps: SyncDeps;
  readonly book: RootBook;
  readonly replica: ListReplica;
  readonly options: SyncOptions;
}

async function tryOffers(trying: Trying, { offers, failed, empty }: Answers): Promise<SyncResult> {
  const { deps, replica, options } = trying;
  const failures = [...failed];
  const from = replica.size;
  const { damage } = replica;
  for (const { error } of failed) if (isFinal(error)) throw error;
  for (const offer of offers) {
    try {
      const done = await advance({ ...trying, offer });
      confirmClock(deps, offer);
      await foldDeltas(replica);
      await keepAll(trying, failures);
      const result = resultOf(replica, from, offer, done, failures);
      return damage === undefined ? result : { ...result, alarms: [damageAlarm(damage), ...result.alarms] };
    } catch (cause) {
      const error = asHashfed(cause);
      if (isFinal(error) || options.signal?.aborted) throw error;
      failures.push({ source: offer.source, error });
    }
  }
  if (failures.length === 0 && empty > 0 && damage === undefined) return emptyResult(replica);
  await keepAll(trying, failures);
  throw gravest(failures, replica.origin.text);
}

async function keepAll({ deps, replica }: Trying, failures: readonly Failed[]): Promise<void> {
  for (const { error } of failures) await keepEvidence(deps, replica.origin.text, error);
}

/** A fresh statement that was just received and agrees with our clock vouches for it. */
function confirmClock({ clock }: SyncDeps, { freshness }: Offer): void {
  if (freshness !== undefined) guardOf(clock).confirm(freshness.statement.issuedAtMs);
}

const GRAVITY = ['verification', 'identity', 'usage', 'stale', 'failed'];

/** What was found here comes before what peers say of themselves. */
const gravity = ({ class: kind, detail }: HashfedError): number =>
  GRAVITY.indexOf(kind) + (detail.claimed === true && kind === 'verification' ? GRAVITY.length : 0);

function gravest(failures: readonly Failed[], origin: string): HashfedError {
  const [first] = [...failures].sort((a, b) => gravity(a.error) - gravity(b.error));
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
    size: replica.size,
    root: replica.root,
    source: offer.source.name,
    changes: done.changes,
    minWaitMs: offer.minWaitMs,
    withheld: offer.withheld,
    failures: failures.map(toFailure),
    alarms: [...offer.alarms, ...rangeAlarms(done)],
  };
}

/** For whoever looks after the disk. */
export const damageAlarm = ({ error: { code, message } }: Damage): SyncAlarm => ({
  kind: 'damaged',
  code,
  message,
});

function rangeAlarms({ range }: Advance): SyncAlarm[] {
  if (range === undefined) return [];
  const alarms: SyncAlarm[] = range.holds
    .filter(({ index }) => index >= range.fromSize)
    .map(({ index, untilMs }) => ({ kind: 'hold', index, untilMs }));
  if (range.anomalies.count > 0) alarms.push({ kind: 'anomalies', count: range.anomalies.count });
  return alarms;
}

function emptyResult(replica: ListReplica): SyncResult {
  const origin = replica.origin.text;
  const none = { source: '', minWaitMs: 0, withheld: false, failures: [], alarms: [] };
  return { origin, path: 'none', from: 0, size: 0, root: replica.root, changes: noChanges(origin), ...none };
}
