import { randomBytes, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeAuthority } from '../../../client/pki/index.js';
import * as x509 from '../../../client/pki/x509.js';
import { HashfedError } from '../../../sdk/core/index.js';
import { checkCertificateTime, identify, readCertificate } from '../../../server/access/index.js';
import { makeTestFederation, testPki } from '../../support/pki.js';

const { environment } = testPki();
const der = (pem: string): Uint8Array => new Uint8Array(new X509Certificate(pem).raw);
const federation = await makeTestFederation(environment);
const good = der((await federation.member('hoster-a')).certificatePem);

/** A certificate with any names and times, signed by nobody who matters. */
async function odd(
  names: x509.JsonGeneralNames | undefined,
  more: Partial<x509.X509CertificateCreateSelfSignedParams> = {},
) {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=odd',
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2026-12-31T23:59:59Z'),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      ...(names === undefined ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
    ...more,
  });
  return new Uint8Array(made.rawData);
}

describe('readCertificate', () => {
  it('reads what node and the issuing library read', async () => {
    const facts = readCertificate(good);
    const other = new X509Certificate(good);
    expect(facts.uris).toEqual(['spiffe://test.example/members/hoster-a']);
    expect(facts.notBeforeMs).toBe(Date.parse(other.validFrom));
    expect(facts.notAfterMs).toBe(Date.parse(other.validTo));
    expect(readCertificate(der(federation.server.certificatePem)).uris).toEqual([]);
    const { identity } = await makeAuthority(environment, 'test.example', 100 * 365);
    const far = readCertificate(der(identity.certificatePem));
    expect(far.notAfterMs).toBe(Date.parse(new X509Certificate(identity.certificatePem).validTo));
    expect(far.notAfterMs).toBeGreaterThan(Date.UTC(2050, 0));
  });

  it('is not fooled by a name that looks like several', async () => {
    const bytes = await odd([
      { type: 'dns', value: 'x.example' },
      {
        type: 'url',
        value: 'spiffe://test.example/members/hoster-a,URI:spiffe://test.example/members/operator',
      },
    ]);
    expect(readCertificate(bytes).uris).toHaveLength(1);
    expect(() => identify(bytes, 'test.example')).toThrow(/does not name a member/);
  });

  it('refuses whatever is not one certificate, and nothing but refuses', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(() => readCertificate(bytes)).toThrow(HashfedError);
      }),
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = good.slice();
        bytes[at] = bytes[at]! ^ flip;
        try {
          readCertificate(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(HashfedError);
        }
      }),
    );
    for (let cut = 0; cut < good.length; cut += 1) {
      expect(() => readCertificate(good.subarray(0, cut))).toThrow(HashfedError);
    }
    expect(() => readCertificate(new Uint8Array([...good, 0]))).toThrow(HashfedError);
    expect(() => readCertificate(new Uint8Array(randomBytes(20_000)))).toThrow(/is over/);
  });

  it('refuses overlong lengths, indefinite lengths and other times', () => {
    const overlong = new Uint8Array([0x30, 0x83, 0, good[2]!, good[3]!, ...good.subarray(4)]);
    expect(() => readCertificate(overlong)).toThrow(/overlong/);
    const indefinite = new Uint8Array([0x30, 0x80, ...good.subarray(4), 0, 0]);
    expect(() => readCertificate(indefinite)).toThrow(/DER does not allow/);
    for (const time of ['261332000000Z', '26112400000Z', '261124250000Z', '26112400000+Z', '260230000000Z']) {
      const bytes = Buffer.from(good);
      const at = bytes.indexOf(Buffer.from([0x17, 13]));
      expect(at).toBeGreaterThan(0);
      bytes.write(time.padEnd(13, 'Z'), at + 2, 'latin1');
      expect(() => readCertificate(new Uint8Array(bytes)), time).toThrow(/time|odd/);
    }
  });
});

describe('identify', () => {
  it('names the member', () => {
    expect(identify(good, 'test.example')).toMatchObject({ federation: 'test.example', member: 'hoster-a' });
  });

  it.each([
    'spiffe://test.example/members/hoster-a/',
    'spiffe://test.example/members/hoster-a?x=1',
    'spiffe://test.example/members/hoster-a#x',
    'spiffe://test.example:443/members/hoster-a',
    'spiffe://user@test.example/members/hoster-a',
    'spiffe://test.example/members/Hoster-A',
    'spiffe://test.example/members/hoster%2da',
    'spiffe://test.example/members/../operator',
    'spiffe://test.example/members/',
    'spiffe://test.example/operators/hoster-a',
    'spiffe://test.example//members/hoster-a',
    'SPIFFE://test.example/members/hoster-a',
    'https://test.example/members/hoster-a',
    `spiffe://test.example/members/${'a'.repeat(65)}`,
  ])('refuses %s', async (uri) => {
    const bytes = await odd([{ type: 'url', value: uri }]);
    expect(() => identify(bytes, 'test.example')).toThrow(
      expect.objectContaining({ code: 'NOT_AUTHENTICATED' }),
    );
  });

  it('refuses no name, two names, names of another kind and another federation', async () => {
    const uri = 'spiffe://test.example/members/hoster-a';
    const cases = [
      await odd(undefined),
      await odd([{ type: 'dns', value: uri }]),
      await odd([
        { type: 'url', value: uri },
        { type: 'url', value: 'spiffe://test.example/members/operator' },
      ]),
    ];
    for (const bytes of cases)
      expect(() => identify(bytes, 'test.example')).toThrow(
        expect.objectContaining({ code: 'NOT_AUTHENTICATED' }),
      );
    expect(() => identify(good, 'other.example')).toThrow(/another federation/);
    expect(() => identify(good, 'test.exampl')).toThrow(/another federation/);
  });

  it('is bounded by the validity of the certificate', () => {
    const identity = identify(good, 'test.example');
    checkCertificateTime(identity, identity.notBeforeMs);
    checkCertificateTime(identity, identity.notAfterMs - 1);
    expect(() => checkCertificateTime(identity, identity.notAfterMs)).toThrow(/expired/);
    expect(() => checkCertificateTime(identity, identity.notBeforeMs - 1)).toThrow(/not valid yet/);
    expect(() => checkCertificateTime(identity, Number.NaN)).toThrow(HashfedError);
  });
});
