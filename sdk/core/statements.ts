/** Freshness and liveness: who may say them, what they must say, and which are remembered. */
import {
  Freshness as FreshnessMessage,
  Liveness as LivenessMessage,
} from '../../proto/gen/hashfed/v1/statements.js';
import { decodeStrict } from './body.js';
import { equalBytes } from './bytes.js';
import { checkBytes, checkU53 } from './check.js';
import { verifyDsse } from './dsse.js';
import { HashfedError, malformed } from './errors.js';
import { MAX_AHEAD_MS } from './limits.js';
import { MAX_STATEMENT_BYTES } from './limits-trust.js';
import type { PublisherRoot, TreeState } from './root.js';
import { settingsOf, statementKeys } from './root-keys.js';
import type { Suite } from './suite.js';

/** What is newest, said by the operator's delegated key. */
export interface Freshness extends TreeState {
  readonly origin: string;
  readonly rootVersion: number;
  /** SHA-256 of that root's body. */
  readonly rootSha256: Uint8Array;
  readonly issuedAtMs: number;
  readonly notAfterMs: number;
  /** min(not_after, issued_at + freshness_max): from this moment on it is expired. */
  readonly effectiveExpiryMs: number;
}

/** What the publisher was handed last, said by its own live key from its own network. */
export interface Liveness extends TreeState {
  readonly origin: string;
  readonly rootVersion: number;
  readonly timeMs: number;
}

/** Parses a freshness body. `freshnessMaxMs` comes from the root. Throws `MALFORMED`. */
export function parseFreshness(body: Uint8Array, freshnessMaxMs: number): Freshness {
  const message = decodeStrict(FreshnessMessage, body, 'freshness', MAX_STATEMENT_BYTES);
  const issuedAtMs = checkU53(message.issuedAtMs, 'issued_at_ms', 1);
  const notAfterMs = checkU53(message.notAfterMs, 'not_after_ms', issuedAtMs + 1);
  return {
    origin: message.origin,
    size: checkU53(message.size, 'size', 1),
    root: checkBytes(message.root, 'root', 32),
    rootVersion: checkU53(message.rootVersion, 'root_version', 1),
    rootSha256: checkBytes(message.rootSha256, 'root_sha256', 32),
    issuedAtMs,
    notAfterMs,
    effectiveExpiryMs: Math.min(notAfterMs, issuedAtMs + freshnessMaxMs),
  };
}

/** Parses a liveness body. Throws `MALFORMED`. */
export function parseLiveness(body: Uint8Array): Liveness {
  const message = decodeStrict(LivenessMessage, body, 'liveness', MAX_STATEMENT_BYTES);
  return {
    origin: message.origin,
    size: checkU53(message.size, 'size', 1),
    root: checkBytes(message.root, 'root', 32),
    rootVersion: checkU53(message.rootVersion, 'root_version', 1),
    timeMs: checkU53(message.timeMs, 'time_ms', 1),
  };
}

/**
 * The statement in `envelope`, signed by the freshness key of `root`, about `origin`, not from the future.
 * Throws `MALFORMED`, `THRESHOLD_NOT_MET` (not signed by that key), `FUTURE`, `EQUIVOCATION` (it names another
 * root of the version held), `UNKNOWN_ORIGIN`. A newer `rootVersion` than held: fetch that root first.
 */
export function verifyFreshness(
  suite: Suite,
  root: PublisherRoot,
  origin: string,
  envelope: Uint8Array,
  nowMs: number,
): Freshness {
  const settings = settingsOf(root, origin);
  const rule = { keys: statementKeys(root, 'freshness'), threshold: root.roles.freshness.threshold };
  const body = verifyDsse(suite, 'freshness', envelope, rule, MAX_STATEMENT_BYTES);
  const statement = parseFreshness(body, settings.freshnessMaxMs);
  checkStatement(statement.origin, origin, statement.issuedAtMs, nowMs);
  if (statement.rootVersion === root.version && !equalBytes(statement.rootSha256, root.sha256)) {
    const evidence = [envelope, root.body];
    throw new HashfedError('EQUIVOCATION', 'the operator knows another root of this version', {
      origin,
      evidence,
    });
  }
  return statement;
}

/** As `verifyFreshness`, for the publisher's live key. */
export function verifyLiveness(
  suite: Suite,
  root: PublisherRoot,
  origin: string,
  envelope: Uint8Array,
  nowMs: number,
): Liveness {
  settingsOf(root, origin);
  const rule = { keys: statementKeys(root, 'live'), threshold: root.roles.live.threshold };
  const statement = parseLiveness(verifyDsse(suite, 'liveness', envelope, rule, MAX_STATEMENT_BYTES));
  checkStatement(statement.origin, origin, statement.timeMs, nowMs);
  return statement;
}

/** A statement from the future is refused before anybody remembers it, else it would stay the newest for years. */
function checkStatement(said: string, asked: string, timeMs: number, nowMs: number): void {
  if (said !== asked) malformed('origin', 'the statement is about another origin');
  if (timeMs > nowMs + MAX_AHEAD_MS) {
    throw new HashfedError('FUTURE', 'the statement is dated more than 10 minutes ahead', { origin: asked });
  }
}

/** The newer of two statements by their own time; the one held stays on a tie. */
export function newerStatement<T extends Freshness | Liveness>(held: T | undefined, next: T): T {
  const time = (one: Freshness | Liveness): number => ('issuedAtMs' in one ? one.issuedAtMs : one.timeMs);
  return held !== undefined && time(held) >= time(next) ? held : next;
}

/**
 * Holds a statement against a checkpoint. `withheld`: it names a larger size, so this source hides something;
 * try another. Throws `EQUIVOCATION` for one size with two roots, `evidence` being the two signed things.
 */
export function compareStatement(
  statement: TreeState,
  held: TreeState,
  evidence: readonly Uint8Array[],
): 'covers' | 'behind' | 'withheld' {
  if (statement.size > held.size) return 'withheld';
  if (statement.size < held.size) return 'behind';
  if (equalBytes(statement.root, held.root)) return 'covers';
  throw new HashfedError('EQUIVOCATION', 'a signed statement and a checkpoint name two roots of one size', {
    evidence,
  });
}
