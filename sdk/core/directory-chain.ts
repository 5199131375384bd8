/** The chain of directory versions: what members pin, and what a next version must satisfy. */
import { equalBytes } from './bytes.js';
import type { MemberDirectory } from './directory.js';
import { parseDirectory } from './directory-parse.js';
import { checkThreshold, parseDsse, type SignedBody } from './dsse.js';
import { HashfedError, malformed } from './errors.js';
import { MAX_DIRECTORY_BYTES, MAX_UNSIGNED_BYTES } from './limits-trust.js';
import type { Suite } from './suite.js';

const refuse = (why: string, field: string): never => {
  throw new HashfedError('BAD_SIGNATURE', `directory: ${why}`, { field });
};

/**
 * Version 1 under its pinned SHA-256 (of the body, 32 bytes), signed by every signer it names. Throws `MALFORMED`,
 * `BAD_SIGNATURE` (another body than the pinned one) or `THRESHOLD_NOT_MET`.
 */
export function startDirectory(suite: Suite, envelope: Uint8Array, pinned: Uint8Array): MemberDirectory {
  const signed = parseDsse('directory', envelope, MAX_DIRECTORY_BYTES);
  if (!equalBytes(suite.sha256.digest(signed.body), pinned)) refuse('not the pinned version 1', 'sha256');
  const directory = parseDirectory(suite.sha256, signed.body);
  if (directory.version !== 1) malformed('version', 'the pinned directory is not version 1');
  checkSigners(suite, signed, directory, directory.signers.length);
  return directory;
}

/**
 * The version after `current`: exactly +1, naming the body before, signed by the thresholds of the old and of the
 * new signer set; the threshold never falls, and a real federation never becomes one for development. Throws
 * `MALFORMED`, `ROLLBACK` (older), `EQUIVOCATION` (another body of the version held, signed by its signers),
 * `BAD_SIGNATURE` or `THRESHOLD_NOT_MET`. A large body is parsed only where today's signers vouch for it.
 */
export function nextDirectory(suite: Suite, current: MemberDirectory, envelope: Uint8Array): MemberDirectory {
  const signed = parseDsse('directory', envelope, MAX_DIRECTORY_BYTES);
  if (signed.body.length > MAX_UNSIGNED_BYTES) checkSigners(suite, signed, current, current.threshold);
  const next = parseDirectory(suite.sha256, signed.body);
  if (next.version === current.version) refuseSameVersion(suite, signed, current, envelope);
  checkSuccessor(current, next);
  checkSigners(suite, signed, current, current.threshold);
  checkSigners(suite, signed, next, next.threshold);
  if (next.threshold < current.threshold) malformed('threshold', 'is below the one before');
  if (next.development && !current.development) malformed('development', 'cannot be set again');
  return next;
}

function checkSigners(
  suite: Suite,
  signed: SignedBody,
  { signers }: MemberDirectory,
  threshold: number,
): void {
  checkThreshold(suite, 'directory', signed, { keys: signers.map(({ key }) => key), threshold });
}

function checkSuccessor(current: MemberDirectory, next: MemberDirectory): void {
  if (next.federation !== current.federation) refuse('another federation', 'federation');
  if (next.version < current.version) {
    throw new HashfedError('ROLLBACK', 'directory: an older version than the one held', { field: 'version' });
  }
  if (next.version !== current.version + 1) refuse('not the next version', 'version');
  if (!equalBytes(next.previousSha256 ?? new Uint8Array(0), current.sha256)) {
    refuse('does not follow the version held', 'previous_sha256');
  }
}

function refuseSameVersion(
  suite: Suite,
  signed: SignedBody,
  current: MemberDirectory,
  envelope: Uint8Array,
): never {
  if (equalBytes(current.body, signed.body)) refuse('the version already held', 'version');
  checkSigners(suite, signed, current, current.threshold);
  const detail = { field: 'version', evidence: [envelope] };
  throw new HashfedError('EQUIVOCATION', 'two directories of one version', detail);
}
