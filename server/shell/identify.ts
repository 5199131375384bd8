import { type Clock, HashfedError } from '../../sdk/core/index.js';
import { checkCertificateTime, identify, type PeerIdentity } from '../access/index.js';
import type { AuthenticatedCall } from './dispatch.js';

/** Certificates whose names are remembered, by the digest of the whole certificate. */
const MAX_REMEMBERED = 4_096;
/** Metadata key in which a caller names itself, on the loopback development listener only. */
export const DEVELOPMENT_MEMBER_KEY = 'hashfed-development-member';
const MEMBER = /^[a-z0-9-]{1,64}$/;

/** Reads the member from the certificate that the TLS stack verified. Throws NOT_AUTHENTICATED. */
export function identifyByCertificate(
  federation: string,
  clock: Clock,
): (call: AuthenticatedCall) => PeerIdentity {
  const remembered = new Map<string, PeerIdentity>();
  return (call) => {
    const certificate = call.getAuthContext().sslPeerCertificate;
    if (certificate === undefined)
      throw new HashfedError('NOT_AUTHENTICATED', 'a member certificate is needed');
    const key = certificate.fingerprint256;
    let identity = remembered.get(key);
    if (identity === undefined) {
      identity = identify(certificate.raw, federation);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(key, identity);
    }
    checkCertificateTime(identity, clock.nowMs());
    return identity;
  };
}

/** Believes the name that the caller gives. Only ever used with the plaintext loopback listener. */
export function identifyByName(federation: string): (call: AuthenticatedCall) => PeerIdentity {
  return (call) => {
    const [member] = call.metadata.get(DEVELOPMENT_MEMBER_KEY);
    if (typeof member !== 'string' || !MEMBER.test(member))
      throw new HashfedError('NOT_AUTHENTICATED', `name a member in ${DEVELOPMENT_MEMBER_KEY}`);
    return { federation, member, notBeforeMs: 0, notAfterMs: Number.POSITIVE_INFINITY };
  };
}
