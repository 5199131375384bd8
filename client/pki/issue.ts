import { isIP } from 'node:net';
import { HashfedError } from '../../sdk/core/index.js';
import type { Authority, Identity, PkiEnvironment } from './authority.js';
import { openRequest } from './csr.js';
import { ALGORITHM, commonName, generateKeys, type Key, keyToPem, makeSerial, validity } from './engine.js';
import { type MemberName, spiffeId } from './names.js';
import * as x509 from './x509.js';

/** Days that end certificates last; short, because a stolen one ends by itself. */
export const END_CERTIFICATE_DAYS = 90;
/** Names under which a development server answers. */
export const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'] as const;

interface Request {
  readonly name: string;
  readonly names: x509.JsonGeneralNames;
  readonly usage: string;
  readonly days: number;
}

/** A server's certificate for DNS names and IP addresses; no wildcards. Throws USAGE without a name. */
export async function issueServer(
  environment: PkiEnvironment,
  authority: Authority,
  hosts: readonly string[] = LOOPBACK_NAMES,
  days = END_CERTIFICATE_DAYS,
): Promise<Identity> {
  const first = hosts[0];
  if (first === undefined) throw new HashfedError('USAGE', 'a server needs a name', { field: 'hosts' });
  const names = hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const);
  return withNewKey(environment, authority, {
    name: first,
    names,
    usage: x509.ExtendedKeyUsage.serverAuth,
    days,
  });
}

/** A member's certificate with a new key. */
export function issueMember(
  environment: PkiEnvironment,
  authority: Authority,
  who: MemberName,
  days = END_CERTIFICATE_DAYS,
): Promise<Identity> {
  return withNewKey(environment, authority, memberRequest(who, days));
}

/**
 * A member's certificate (PEM) for the key of a signing request. Names, usages and extensions that the
 * request asks for are ignored: the authority alone decides who `who` is. Throws MALFORMED for a request
 * that is not signed by its own key or whose key is not P-256.
 */
export async function issueForRequest(
  environment: PkiEnvironment,
  authority: Authority,
  requestPem: string,
  who: MemberName,
  days = END_CERTIFICATE_DAYS,
): Promise<string> {
  const publicKey = await openRequest(requestPem);
  const certificate = await sign(environment, authority, publicKey, memberRequest(who, days));
  return `${certificate.toString('pem')}\n`;
}

function memberRequest(who: MemberName, days: number): Request {
  const id = spiffeId(who.federation, who.member);
  const usage = x509.ExtendedKeyUsage.clientAuth;
  return { name: who.member, names: [{ type: 'url', value: id }], usage, days };
}

async function withNewKey(
  environment: PkiEnvironment,
  authority: Authority,
  request: Request,
): Promise<Identity> {
  const keys = await generateKeys();
  const certificate = await sign(environment, authority, keys.publicKey, request);
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: `${await keyToPem(keys.privateKey)}\n`,
  };
}

async function sign(
  environment: PkiEnvironment,
  authority: Authority,
  publicKey: Key,
  request: Request,
): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.create({
    serialNumber: makeSerial(environment.random),
    subject: commonName(request.name),
    issuer: authority.certificate.subjectName,
    ...validity(environment.clock.nowMs(), request.days),
    signingKey: authority.key,
    signingAlgorithm: ALGORITHM,
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([request.usage]),
      new x509.SubjectAlternativeNameExtension(request.names),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
}
