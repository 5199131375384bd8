/** The chain of root versions: what is pinned, and what a next version must satisfy. */
import { equalBytes, toHex } from './bytes.js';
import { checkThreshold, parseDsse, type SignedBody } from './dsse.js';
import { HashfedError, malformed } from './errors.js';
import { MAX_ROOT_BYTES, MAX_UNSIGNED_BYTES } from './limits-trust.js';
import type { FormerKey, OriginSettings, PublisherRoot } from './root.js';
import { listOf } from './root-origin.js';
import { parseRoot } from './root-parse.js';
import type { Suite } from './suite.js';

const refuse = (why: string, field: string): never => {
  throw new HashfedError('BAD_SIGNATURE', `publisher root: ${why}`, { field });
};

const shorten = (digest: Uint8Array): string => `${toHex(digest).slice(0, 16)}…`;

/**
 * Version 1 under its pinned fingerprint (SHA-256 of the body, 32 bytes), signed by its own root threshold.
 * Throws `MALFORMED`, `BAD_SIGNATURE` (another fingerprint) or `THRESHOLD_NOT_MET`.
 */
export function startRoot(suite: Suite, envelope: Uint8Array, fingerprint: Uint8Array): PublisherRoot {
  const signed = parseDsse('root', envelope, MAX_ROOT_BYTES);
  if (!equalBytes(suite.sha256.digest(signed.body), fingerprint)) {
    const [served, pinned] = [suite.sha256.digest(signed.body), fingerprint].map(shorten);
    refuse(
      `${served} was served, ${pinned} is pinned; ask the publisher which one is its own`,
      'fingerprint',
    );
  }
  const root = parseRoot(suite.sha256, signed.body);
  if (root.version !== 1) malformed('version', 'the pinned root is not version 1');
  checkRootSigners(suite, signed, root);
  return root;
}

/**
 * The version after `current`. Order of judgement: parse; same publisher, exactly +1, names the body before; signed
 * by the old threshold, then by the new; then what may not change. Expiry is judged at the end of the chain only,
 * so that whoever was away for long can still catch up. Throws `MALFORMED`, `ROLLBACK` (older),
 * `EQUIVOCATION` (another body of the version held, signed as this one is), `BAD_SIGNATURE` (not its successor) or
 * `THRESHOLD_NOT_MET`. A large body is parsed only where the old threshold vouches for it.
 */
export function nextRoot(suite: Suite, current: PublisherRoot, envelope: Uint8Array): PublisherRoot {
  const signed = parseDsse('root', envelope, MAX_ROOT_BYTES);
  if (signed.body.length > MAX_UNSIGNED_BYTES) checkRootSigners(suite, signed, current);
  const next = parseRoot(suite.sha256, signed.body);
  if (next.version === current.version) refuseSameVersion(suite, signed, current, envelope);
  checkSuccessor(current, next);
  checkRootSigners(suite, signed, current);
  checkRootSigners(suite, signed, next);
  checkFormerKept(current, next);
  for (const settings of next.origins.values()) checkGeneration(current, settings);
  return next;
}

/** Walks a chain from the pinned version 1. The first failure wins; nothing after it is looked at. */
export function walkRoots(
  suite: Suite,
  fingerprint: Uint8Array,
  envelopes: readonly Uint8Array[],
): PublisherRoot {
  const [first, ...rest] = envelopes;
  if (first === undefined) return malformed('roots', 'the chain is empty');
  return rest.reduce(
    (root, envelope) => nextRoot(suite, root, envelope),
    startRoot(suite, first, fingerprint),
  );
}

/** Expired from `expires_ms` on. Judged for the newest version only. */
export function isRootExpired(root: PublisherRoot, nowMs: number): boolean {
  return nowMs >= root.expiresMs;
}

function checkRootSigners(suite: Suite, signed: SignedBody, { roles }: PublisherRoot): void {
  const keys = roles.root.keys.filter((one) => one.ed25519).map((one) => one.key);
  checkThreshold(suite, 'root', signed, { keys, threshold: roles.root.threshold });
}

function checkSuccessor(current: PublisherRoot, next: PublisherRoot): void {
  if (next.publisher !== current.publisher) refuse('another publisher', 'publisher');
  if (next.version < current.version) {
    throw new HashfedError('ROLLBACK', 'publisher root: an older version than the one held', {
      field: 'version',
    });
  }
  if (next.version !== current.version + 1) refuse('not the next version', 'version');
  if (!equalBytes(next.previousSha256 ?? new Uint8Array(0), current.sha256)) {
    refuse('does not follow the version held', 'previous_sha256');
  }
}

/** Nobody but the holders of today's root keys can make us cry equivocation: they are verified first. */
function refuseSameVersion(
  suite: Suite,
  signed: SignedBody,
  current: PublisherRoot,
  envelope: Uint8Array,
): never {
  if (equalBytes(current.body, signed.body)) refuse('the version already held', 'version');
  checkRootSigners(suite, signed, current);
  const detail = { field: 'version', evidence: [envelope] };
  throw new HashfedError('EQUIVOCATION', 'two publisher roots of one version', detail);
}

const formerId = (one: FormerKey): string => `${one.origin.text} ${toHex(one.key.key)}`;

/** Entries stay for ever, only `revoked` may be set later: one dropped would revive or bury old signatures. */
function checkFormerKept(current: PublisherRoot, next: PublisherRoot): void {
  const kept = new Map(next.former.map((one) => [formerId(one), one]));
  for (const old of current.former) {
    const same = kept.get(formerId(old));
    if (same === undefined || !sameFormer(old, same)) malformed('former', 'an entry was dropped or changed');
  }
}

function sameFormer(a: FormerKey, b: FormerKey): boolean {
  const sameState = a.lastGood.size === b.lastGood.size && equalBytes(a.lastGood.root, b.lastGood.root);
  return sameState && a.role === b.role && a.key.name === b.key.name && (b.revoked || !a.revoked);
}

/** A list's generation stays or rises by one in a version, and never falls. */
function checkGeneration(current: PublisherRoot, { origin }: OriginSettings): void {
  for (const old of current.origins.values()) {
    if (listOf(old.origin) !== listOf(origin)) continue;
    const step = origin.generation - old.origin.generation;
    if (step < 0 || step > 1) malformed('origins', 'a generation fell or was skipped');
  }
}
