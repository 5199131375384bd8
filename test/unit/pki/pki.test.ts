import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  describeCertificate,
  dueForRenewal,
  issueForRequest,
  issueMember,
  issueServer,
  makeAuthority,
  makeRequest,
  openAuthority,
  readIdentity,
  renew,
  writeIdentity,
} from '../../../client/pki/index.js';
import { testPki } from '../../support/pki.js';

const { environment, clock } = testPki();
const who = { federation: 'test.example', member: 'hoster-a' };
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe('the authority', () => {
  it('signs end certificates that node itself verifies', async () => {
    const { authority, identity } = await makeAuthority(environment, 'test.example');
    const member = await issueMember(environment, authority, who);
    const ca = new X509Certificate(identity.certificatePem);
    const leaf = new X509Certificate(member.certificatePem);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(member.keyPem))).toBe(true);
    expect([ca.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.subjectAltName).toBe('URI:spiffe://test.example/members/hoster-a');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(leaf.serialNumber).toHaveLength(32);
  });

  it('names the hosts of a server', async () => {
    const { authority } = await makeAuthority(environment, 'test.example');
    const leaf = new X509Certificate((await issueServer(environment, authority)).certificatePem);
    expect(leaf.checkHost('localhost')).toBe('localhost');
    expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(leaf.checkHost('other.example')).toBeUndefined();
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('opens again, and not with the key of another', async () => {
    const first = await makeAuthority(environment, 'test.example');
    const second = await makeAuthority(environment, 'test.example');
    await expect(openAuthority(first.identity)).resolves.toBeDefined();
    await expect(openAuthority({ ...first.identity, keyPem: second.identity.keyPem })).rejects.toMatchObject({
      code: 'USAGE',
    });
    const member = await issueMember(environment, first.authority, who);
    await expect(openAuthority(member)).rejects.toMatchObject({ code: 'USAGE' });
  });

  it.each(['Hoster', 'a/b', '', '-a', 'a_b', '../x', 'ä', 'a'.repeat(65)])(
    'refuses the name %j',
    async (member) => {
      const { authority } = await makeAuthority(environment, 'test.example');
      await expect(async () => issueMember(environment, authority, { ...who, member })).rejects.toMatchObject(
        {
          code: 'USAGE',
        },
      );
    },
  );
});

describe('requests and renewal', () => {
  it('certifies the key of a request and nothing else that it asks for', async () => {
    const { authority } = await makeAuthority(environment, 'test.example');
    const request = await makeRequest({ ...who, member: 'somebody-else' });
    const pem = await issueForRequest(environment, authority, request.requestPem, who);
    const leaf = new X509Certificate(pem);
    expect(leaf.subjectAltName).toBe('URI:spiffe://test.example/members/hoster-a');
    expect(leaf.subject).toBe('CN=hoster-a');
    expect(leaf.publicKey.equals(createPublicKey(request.keyPem))).toBe(true);
  });

  it('refuses a request that was changed after signing, and no request at all', async () => {
    const { authority } = await makeAuthority(environment, 'test.example');
    const { requestPem } = await makeRequest(who);
    const der = Buffer.from(requestPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const at = der.indexOf('hoster-a');
    expect(at).toBeGreaterThan(0);
    der[at] = 'p'.charCodeAt(0);
    const changed = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    for (const bad of [changed, 'nonsense', 'x'.repeat(10_000)]) {
      await expect(issueForRequest(environment, authority, bad, who)).rejects.toMatchObject({
        code: 'MALFORMED',
      });
    }
  });

  it('renews with the same names, a new key and a later end', async () => {
    const { authority } = await makeAuthority(environment, 'test.example');
    const old = await issueMember(environment, authority, who, 30);
    const facts = describeCertificate(old.certificatePem);
    expect(dueForRenewal(facts, clock.nowMs())).toBe(false);
    expect(dueForRenewal(facts, clock.nowMs() + 25 * 86_400_000)).toBe(true);
    const next = await renew(environment, authority, old.certificatePem, 60);
    const nextFacts = describeCertificate(next.certificatePem);
    expect(nextFacts.uris).toEqual(facts.uris);
    expect(nextFacts.notAfterMs).toBeGreaterThan(facts.notAfterMs);
    expect(nextFacts.serial).not.toBe(facts.serial);
    expect(next.keyPem).not.toBe(old.keyPem);
    const server = await issueServer(environment, authority, ['a.example', '10.0.0.1']);
    const again = await renew(environment, authority, server.certificatePem);
    expect(describeCertificate(again.certificatePem).hosts).toEqual(['a.example', '10.0.0.1']);
  });
});

describe('files', () => {
  it('keeps keys to their owner and overwrites nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hashfed-pki-'));
    folders.push(folder);
    const { identity } = await makeAuthority(environment, 'test.example');
    const files = { certificate: join(folder, 'ca.pem'), key: join(folder, 'ca-key.pem') };
    await writeIdentity(files, identity);
    expect((await stat(files.key)).mode & 0o777).toBe(0o600);
    expect(await readIdentity(files)).toEqual(identity);
    await expect(writeIdentity(files, identity)).rejects.toMatchObject({ code: 'USAGE' });
    expect(await readIdentity(files)).toEqual(identity);
  });
});
