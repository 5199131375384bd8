import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Hashfed,
  HashfedError,
  isHeldElsewhere,
  type ListStatus,
  open,
  type Policy,
  type Verdict,
} from '../../sdk/index.js';
import { type CliContext, EXIT, type ExitCode } from '../cli/index.js';

/** A short command that holds the store ends within this time, milliseconds; a watching one does not. */
const LOCK_WAIT_MS = 10_000;
const LOCK_RETRY_MS = 100;
const HOUR_MS = 3_600_000;

type Access = 'write' | 'read' | 'auto';

/** A member that holds no lists can still ask a server. */
interface Needs {
  readonly lists: boolean;
}

/** Opens this member's store and lists. `write` waits a little for another command to let go of the store. */
async function openHoster(context: CliContext, access: Access, needs: Needs): Promise<Hashfed> {
  const config = await context.config();
  if (needs.lists && config.lists.length === 0)
    throw new HashfedError('USAGE', `${config.file}: lists: none is configured`, { field: 'lists' });
  const { clock, random, signal } = context;
  for (const deadline = clock.monotonicMs() + LOCK_WAIT_MS; ; ) {
    try {
      return await open({ config, access, clock, random });
    } catch (error) {
      if (!isHeldElsewhere(error)) throw withHelp(error);
      if (access !== 'write') throw error;
      if (clock.monotonicMs() > deadline) throw heldElsewhere(error);
    }
    await sleep(LOCK_RETRY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Damage to what is not a list is nobody's to repair by itself. */
function withHelp(error: unknown): unknown {
  if (!(error instanceof HashfedError) || error.code !== 'STORAGE_FAILED') return error;
  const message = `${error.message}; docs/hosters.md, "When the disk is damaged", says what to do`;
  return new HashfedError('STORAGE_FAILED', message, { ...error.detail, cause: error });
}

/** Lists that cannot be read, or not all of them, told on stderr. */
export async function tellDamage(hashfed: Hashfed, { out }: CliContext): Promise<void> {
  await hashfed.verified();
  for (const { origin, damage } of hashfed.replicas) {
    if (damage === undefined) continue;
    const { code, message } = damage.error;
    out.warn(`hashfed: ${code} [${origin.text}]: ${message}; hashfed sync repairs it`);
  }
}

function heldElsewhere(cause: unknown): HashfedError {
  const message =
    'the store is in use by another process: your service, or "hashfed sync --watch"; stop that one first, or ask the service itself (docs/hosters.md, "Quarantine")';
  return new HashfedError('STORAGE_FAILED', message, { cause });
}

/** Runs `work` on the opened store and closes it whatever happens. */
export async function withHoster<T>(
  context: CliContext,
  access: Access,
  work: (hashfed: Hashfed) => Promise<T>,
  needs: Needs = { lists: true },
): Promise<T> {
  const hashfed = await openHoster(context, access, needs);
  try {
    return await work(hashfed);
  } finally {
    await hashfed.close();
  }
}

/**
 * True where what is matched against is too old to rely on: a list is expired, was last fresh longer ago than the
 * policy lets a single analyst's word block, or nothing was ever synced at all. A list in which nothing was published
 * yet is not stale.
 */
export function isBeyondPolicy(lists: readonly ListStatus[], policy: Policy, nowMs: number): boolean {
  if (lists.length > 0 && lists.every(({ state }) => state === 'EMPTY')) return true;
  const synced = lists.filter(({ purpose, state }) => purpose === 'listed' && state !== 'EMPTY');
  const limitMs = policy.staleness.confirm_after_hours * HOUR_MS;
  return synced.some(
    ({ state, last_fresh_ms }) =>
      state === 'EXPIRED' || (state === 'STALE' && nowMs - (last_fresh_ms ?? 0) > limitMs),
  );
}

/** `stale` where the lists are beyond the policy, else `done`; that, and which lists are damaged, is told on stderr. */
export function freshnessExit(hashfed: Hashfed, { clock, out }: CliContext): ExitCode {
  const [lists, now] = [hashfed.lists(), clock.nowMs()];
  for (const { origin } of lists.filter(isDamaged))
    out.warn(
      `hashfed: STORAGE_FAILED [${origin}]: damaged on disk, it matches nothing; hashfed verify says where, hashfed sync repairs it`,
    );
  if (!isBeyondPolicy(lists, hashfed.policy, now)) return EXIT.done;
  const sound = lists.filter((list) => !isDamaged(list));
  if (isBeyondPolicy(sound, hashfed.policy, now))
    out.warn(`hashfed: STALE: ${staleness(sound, now)}; run hashfed sync`);
  return EXIT.stale;
}

/** Out of service because of what lies on disk: nothing else is expired without ever having held an entry. */
export function isDamaged({ state, size, last_fresh_ms }: ListStatus): boolean {
  return state === 'EXPIRED' && size === 0 && last_fresh_ms === null;
}

function staleness(lists: readonly ListStatus[], nowMs: number): string {
  const fresh = lists.flatMap(({ last_fresh_ms: ms }) => (ms === null ? [] : [ms]));
  if (fresh.length === 0) return 'no list was ever synced';
  return `what is matched against was last fresh ${Math.floor((nowMs - Math.min(...fresh)) / HOUR_MS)} hours ago`;
}

/** True where an object is on a list that acts or tests; being known as good is no match. */
export function isMatch(verdict: Verdict, lists: readonly Pick<ListStatus, 'origin' | 'purpose'>[]): boolean {
  return verdict.matches.some(
    ({ origin }) => lists.find((list) => list.origin === origin)?.purpose !== 'known-good',
  );
}

/** A verdict in one line. */
export function verdictLine(name: string, verdict: Verdict): string {
  const lists = [...new Set(verdict.matches.map(({ origin }) => origin))];
  const why = verdict.because.length > 0 ? ` [${verdict.because.join(', ')}]` : '';
  const where = lists.length > 0 ? `  ${lists.join(', ')}` : '';
  return `${verdict.action.padEnd(5)}  ${name}${where}${why}`;
}

/** An error as `--json` prints it beside results that are good. */
export function errorJson(error: unknown): { code: string; message: string } {
  if (error instanceof HashfedError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}
