import { HashfedError } from '../../sdk/core/index.js';
import type { Authority, Identity, PkiEnvironment } from './authority.js';
import { END_CERTIFICATE_DAYS, issueMember, issueServer } from './issue.js';
import * as x509 from './x509.js';

const MEMBER_URI = /^spiffe:\/\/([^/]+)\/members\/([^/]+)$/;

/** What a certificate says about itself, for `doctor` and for deciding on renewal. */
export interface CertificateFacts {
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly uris: readonly string[];
  readonly hosts: readonly string[];
}

export function describeCertificate(pem: string): CertificateFacts {
  const certificate = new x509.X509Certificate(pem);
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  return {
    serial: certificate.serialNumber,
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
    uris: names.filter((name) => name.type === 'url').map((name) => name.value),
    hosts: names.filter((name) => name.type === 'dns' || name.type === 'ip').map((name) => name.value),
  };
}

/** True once two thirds of the validity have passed. */
export function dueForRenewal(facts: CertificateFacts, nowMs: number): boolean {
  return nowMs >= facts.notBeforeMs + ((facts.notAfterMs - facts.notBeforeMs) * 2) / 3;
}

/** The same names with a new key and a new validity; the old certificate stays valid until it ends. */
export async function renew(
  environment: PkiEnvironment,
  authority: Authority,
  certificatePem: string,
  days = END_CERTIFICATE_DAYS,
): Promise<Identity> {
  const facts = describeCertificate(certificatePem);
  if (facts.hosts.length > 0) return issueServer(environment, authority, facts.hosts, days);
  const parts = MEMBER_URI.exec(facts.uris[0] ?? '');
  if (parts === null) throw new HashfedError('USAGE', 'the certificate names neither host nor member');
  const [, federation = '', member = ''] = parts;
  return issueMember(environment, authority, { federation, member }, days);
}
