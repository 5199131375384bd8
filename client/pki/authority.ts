import { type Clock, HashfedError, type Random } from '../../sdk/core/index.js';
import {
  ALGORITHM,
  commonName,
  generateKeys,
  type Key,
  keyFromPem,
  keyToPem,
  makeSerial,
  validity,
} from './engine.js';
import * as x509 from './x509.js';

/** Time and randomness for what is issued. */
export interface PkiEnvironment {
  readonly clock: Clock;
  readonly random: Random;
}

/** A certificate authority that can sign: the federation's own, kept offline outside development. */
export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly key: Key;
}

/** A certificate and its private key as PEM; the key is PKCS#8 and belongs in a file of mode 0600. */
export interface Identity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

const AUTHORITY_DAYS = 3650;

/** Makes a self-signed authority for `federation` that can sign end certificates only (path length 0). */
export async function makeAuthority(
  environment: PkiEnvironment,
  federation: string,
  days = AUTHORITY_DAYS,
): Promise<{ authority: Authority; identity: Identity }> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: makeSerial(environment.random),
    name: commonName(`hashfed ${federation}`),
    ...validity(environment.clock.nowMs(), days),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const identity = {
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: `${await keyToPem(keys.privateKey)}\n`,
  };
  return { authority: { certificate, key: keys.privateKey }, identity };
}

/** Reads an authority back. Throws USAGE where certificate and key do not belong together. */
export async function openAuthority(identity: Identity): Promise<Authority> {
  const certificate = new x509.X509Certificate(identity.certificatePem);
  const key = await keyFromPem(identity.keyPem);
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== true) {
    throw new HashfedError('USAGE', 'the certificate is not that of an authority', { field: 'ca' });
  }
  if (!(await belongsTogether(certificate, key))) {
    throw new HashfedError('USAGE', "the authority's key does not belong to its certificate", {
      field: 'ca',
    });
  }
  return { certificate, key };
}

/** Signs with the one and verifies with the other. */
async function belongsTogether(certificate: x509.X509Certificate, key: Key): Promise<boolean> {
  const engine = x509.cryptoProvider.get();
  const probe = new TextEncoder().encode('hashfed: do these belong together?');
  const signature = await engine.subtle.sign(ALGORITHM, key, probe);
  const publicKey = await certificate.publicKey.export(ALGORITHM, ['verify']);
  return engine.subtle.verify(ALGORITHM, publicKey, signature, probe);
}
