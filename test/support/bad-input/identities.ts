import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  issueMember,
  makeAuthority,
  openAuthority,
  type PkiEnvironment,
} from '../../../client/pki/index.js';
import { random } from '../server/federation.js';

const DAY_MS = 86_400_000;
const FEDERATION = 'dev.hashfed.example';

const at = (nowMs: number): PkiEnvironment => ({
  clock: { nowMs: () => nowMs, monotonicMs: () => 0 },
  random,
});

/** A certificate of the federation's own authority that ended yesterday. Answers the folder it lies in. */
export async function expiredIdentity(folder: string, member: string): Promise<string> {
  const read = (name: string) => readFile(join(folder, 'ca', name), 'utf8');
  const authority = await openAuthority({
    certificatePem: await read('ca.pem'),
    keyPem: await read('ca.key'),
  });
  return write(folder, 'expired', authority, at(Date.now() - 3 * DAY_MS), member, 2);
}

/** The same name under an authority of the same name that is another one. */
export async function foreignIdentity(folder: string, member: string): Promise<string> {
  const environment = at(Date.now());
  const { authority } = await makeAuthority(environment, FEDERATION);
  return write(folder, 'foreign', authority, environment, member, 90);
}

async function write(
  folder: string,
  name: string,
  authority: Authority,
  environment: PkiEnvironment,
  member: string,
  days: number,
): Promise<string> {
  const made = await issueMember(environment, authority, { federation: FEDERATION, member }, days);
  const into = join(folder, 'identities', name);
  await mkdir(into, { recursive: true });
  await writeFile(join(into, 'member.pem'), made.certificatePem);
  await writeFile(join(into, 'member.key'), made.keyPem, { mode: 0o600 });
  return into;
}
