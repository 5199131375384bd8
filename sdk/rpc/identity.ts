import { X509Certificate } from 'node:crypto';
import { HashfedError } from '../core/index.js';
import type { TlsIdentity } from './channel.js';

/**
 * Why a server would not let this member in, looked for after a connection failed: TLS tells the client little. Our own
 * certificate is expired, not yet valid, or of an authority that the federation does not know. Undefined where the
 * identity looks right, so that the failure is the network's. Matching goes on whatever this says.
 */
export function identityFault(
  { ca, certificate }: TlsIdentity,
  nowMs: number,
  told: string,
): HashfedError | undefined {
  if (certificate === undefined) {
    return told.includes('certificate required')
      ? fault('the server asks for a member certificate')
      : undefined;
  }
  const own = read(certificate);
  const authority = read(ca);
  if (own === undefined || authority === undefined) return undefined;
  if (nowMs > Date.parse(own.validTo))
    return fault("this member's certificate has expired; send the operator a new certificate request");
  if (nowMs < Date.parse(own.validFrom))
    return fault("this member's certificate is not valid yet; check the clock");
  if (!own.checkIssued(authority) || !own.verify(authority.publicKey)) {
    return fault("this member's certificate and the configured authority do not belong together");
  }
  return undefined;
}

function fault(why: string): HashfedError {
  return new HashfedError('NOT_AUTHENTICATED', why, { field: 'tls' });
}

/** The first certificate of a PEM, or undefined where it cannot be read. */
function read(pem: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
