import { HashfedError } from '../../sdk/core/index.js';
import { type PeerCertificateFacts, readCertificate } from './certificate.js';

/** Who a verified certificate says is calling, and until when it may say so. */
export interface PeerIdentity {
  readonly federation: string;
  /** Name of the member without the `members/` prefix. */
  readonly member: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** SPIFFE-ID §2: scheme, trust domain, path; no port, query, fragment, upper case or percent-encoding. */
const MEMBER_ID =
  /^spiffe:\/\/([a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?)\/members\/([a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)$/;

/**
 * The member that a certificate names, from its DER. It must hold exactly one URI (X.509-SVID §2) and that
 * must be a member of `federation`. Throws NOT_AUTHENTICATED.
 */
export function identify(der: Uint8Array, federation: string): PeerIdentity {
  const facts = readFacts(der);
  const [uri, ...others] = facts.uris;
  if (uri === undefined || others.length > 0)
    throw refused('the certificate does not name exactly one member');
  const parts = MEMBER_ID.exec(uri);
  if (parts === null) throw refused('the certificate does not name a member');
  const [, named = '', member = ''] = parts;
  if (named !== federation) throw refused('the certificate is of another federation');
  return { federation: named, member, notBeforeMs: facts.notBeforeMs, notAfterMs: facts.notAfterMs };
}

/** Throws NOT_AUTHENTICATED outside the certificate's validity: a connection may outlive it. */
export function checkCertificateTime(identity: PeerIdentity, nowMs: number): void {
  if (!(nowMs >= identity.notBeforeMs)) throw refused('the certificate is not valid yet');
  if (!(nowMs < identity.notAfterMs)) throw refused('the certificate has expired');
}

function readFacts(der: Uint8Array): PeerCertificateFacts {
  try {
    return readCertificate(der);
  } catch (cause) {
    throw refused('the certificate cannot be read', cause);
  }
}

function refused(why: string, cause?: unknown): HashfedError {
  return new HashfedError('NOT_AUTHENTICATED', why, cause === undefined ? {} : { cause });
}
