import { malformed } from '../../sdk/core/index.js';
import { ALGORITHM, commonName, generateKeys, type Key, keyToPem } from './engine.js';
import { type MemberName, spiffeId } from './names.js';
import * as x509 from './x509.js';

/** Characters of a PEM request; one with a P-256 key takes about 600. */
const MAX_REQUEST_CHARS = 8 * 1024;

/** Makes a key that never leaves this machine and a PKCS#10 request (RFC 2986) for it. */
export async function makeRequest(who: MemberName): Promise<{ requestPem: string; keyPem: string }> {
  const keys = await generateKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: commonName(who.member),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: spiffeId(who.federation, who.member) },
      ]),
    ],
  });
  return { requestPem: `${request.toString('pem')}\n`, keyPem: `${await keyToPem(keys.privateKey)}\n` };
}

/** The public key of a request whose signature proves possession of it. Throws MALFORMED. */
export async function openRequest(pem: string): Promise<Key> {
  if (pem.length > MAX_REQUEST_CHARS) malformed('request', `is longer than ${MAX_REQUEST_CHARS} characters`);
  const request = parse(pem);
  const algorithm: { name?: string; namedCurve?: string } = request.publicKey.algorithm;
  if (algorithm.name !== ALGORITHM.name || algorithm.namedCurve !== ALGORITHM.namedCurve)
    malformed('request', 'its key is not ECDSA P-256');
  if (!(await request.verify().catch(() => false)))
    malformed('request', 'is not signed by the key it is for');
  return request.publicKey.export(ALGORITHM, ['verify']);
}

function parse(pem: string): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(pem);
  } catch (cause) {
    return malformed('request', 'is not a PKCS#10 certificate request', cause);
  }
}
