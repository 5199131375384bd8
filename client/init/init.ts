import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { boxPublicKey, HashfedError, seedSigner, toHex } from '../../sdk/core/index.js';
import { buildFirstDirectory, type MemberPlan } from '../federation/index.js';
import { issueMember, issueServer, makeAuthority, writeIdentity, writeNew } from '../pki/index.js';
import { makeKey, type SecretKey, writeKey } from '../publisher/keys/index.js';
import { memberConfig, serverConfig } from './configs.js';
import { writeMirror } from './mirror.js';
import { type MemberOutline, outlineMembers } from './plan.js';
import {
  type DevelopmentPublisher,
  type InitEnvironment,
  makePublisher,
  writePublisherKeys,
} from './publisher-keys.js';
import { makeSelftestList, SELFTEST_FILES } from './selftest.js';

const DIRECTORY_DAYS = 365;

export interface InitOptions {
  readonly folder: string;
  readonly federation: string;
  /** host:port that the server listens on and members connect to. */
  readonly listen: string;
  /** Perceptual lists too, and one of known-good files; default: exact lists. */
  readonly allLists?: boolean;
}

/** What was made, for people and for scripts. */
export interface InitResult {
  readonly folder: string;
  readonly server_config: string;
  readonly members: readonly {
    readonly name: string;
    readonly roles: readonly string[];
    readonly config: string;
  }[];
  /** SHA-256 of the version-1 directory body, hex. */
  readonly directory_sha256: string;
}

/** A member's own keys, outside every publisher root. */
interface MemberSecrets {
  readonly outline: MemberOutline;
  readonly signing: SecretKey;
  readonly box: Uint8Array;
}

/**
 * Makes a federation for development on one machine: all parties' keys lie in one folder and the operator alone
 * signs the directory, which is shown as such wherever it is used. Throws USAGE where the folder is not empty.
 */
export async function initFederation(
  environment: InitEnvironment,
  options: InitOptions,
): Promise<InitResult> {
  await requireEmpty(options.folder);
  const outlines = outlineMembers(options.federation, options.allLists ?? false);
  const members = outlines.map((outline) => makeSecrets(environment, outline));
  const freshness = makeKey('freshness', '', environment.random, environment.suite.ed25519);
  const publishers = members
    .filter(({ outline }) => outline.domain !== undefined)
    .map(({ outline }) => makePublisher(environment, outline, freshness.publicKey));
  const directoryKey = makeKey('directory', '', environment.random, environment.suite.ed25519);
  const directory = signDirectory(environment, options, members, directoryKey);
  const authority = await writeAuthority(environment, options);
  await writeServer(environment, options, {
    freshness,
    publishers,
    directory,
    operator: members[0]!,
    authority,
  });
  for (const member of members)
    await writeMember(environment, options, member, publishers, directory, authority);
  await writeMirror(environment, options, {
    folder: memberFolder(options.folder, 'mirror'),
    authority: authority.authority,
    publishers,
    directory: { envelope: directory.envelope, sha256: directory.directory.sha256 },
  });
  await writeKey(
    join(memberFolder(options.folder, 'operator'), 'directory.key'),
    directoryKey,
    environment.random,
  );
  await writeSelftest(options.folder);
  return {
    folder: options.folder,
    server_config: join(options.folder, 'server', 'server.json'),
    members: members.map(({ outline }) => ({
      name: outline.name,
      roles: outline.roles,
      config: join(memberFolder(options.folder, outline.name), 'hashfed.json'),
    })),
    directory_sha256: toHex(directory.directory.sha256),
  };
}

const memberFolder = (folder: string, name: string): string => join(folder, 'members', name);

async function requireEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) {
    throw new HashfedError('USAGE', `${folder} is not empty; name a new folder`, { field: 'DIR' });
  }
}

function makeSecrets({ random, suite }: InitEnvironment, outline: MemberOutline): MemberSecrets {
  return { outline, signing: makeKey('signing', '', random, suite.ed25519), box: random.bytes(32) };
}

type Directory = ReturnType<typeof buildFirstDirectory>;

function signDirectory(
  { suite, clock }: InitEnvironment,
  { federation }: InitOptions,
  members: readonly MemberSecrets[],
  key: SecretKey,
): Directory {
  return buildFirstDirectory(suite, {
    federation,
    issuedAtMs: clock.nowMs(),
    days: DIRECTORY_DAYS,
    signers: [{ member: 'operator', signer: seedSigner(suite.ed25519, key.seed) }],
    members: members.map(memberPlan),
  });
}

function memberPlan({ outline, signing, box }: MemberSecrets): MemberPlan {
  const readsAll = outline.roles.some(
    (role) => role === 'hoster' || role === 'mirror' || role === 'monitor' || role === 'operator',
  );
  return {
    name: outline.name,
    displayName: outline.displayName,
    roles: outline.roles,
    readableLists: readsAll ? ['*'] : [],
    domains: outline.domain === undefined ? [] : [outline.domain],
    signingKeys: [signing.publicKey],
    boxKeys: [boxPublicKey(box)],
  };
}

interface WrittenAuthority {
  readonly authority: Awaited<ReturnType<typeof makeAuthority>>['authority'];
  readonly certificatePem: string;
}

async function writeAuthority(
  environment: InitEnvironment,
  { folder, federation }: InitOptions,
): Promise<WrittenAuthority> {
  const { authority, identity } = await makeAuthority(environment, federation);
  await mkdir(join(folder, 'ca'), { mode: 0o700 });
  await writeIdentity(
    { certificate: join(folder, 'ca', 'ca.pem'), key: join(folder, 'ca', 'ca.key') },
    identity,
  );
  return { authority, certificatePem: identity.certificatePem };
}

interface ServerParts {
  readonly freshness: SecretKey;
  readonly publishers: readonly DevelopmentPublisher[];
  readonly directory: Directory;
  readonly operator: MemberSecrets;
  readonly authority: WrittenAuthority;
}

async function writeServer(
  environment: InitEnvironment,
  options: InitOptions,
  parts: ServerParts,
): Promise<void> {
  const folder = join(options.folder, 'server');
  const bootstrap = join(folder, 'bootstrap');
  for (const path of ['keys', 'bootstrap/roots', 'bootstrap/lists'])
    await mkdir(join(folder, path), { recursive: true, mode: 0o700 });
  const identity = await issueServer(environment, parts.authority.authority);
  await writeIdentity({ certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }, identity);
  await writeNew(join(folder, 'ca.pem'), parts.authority.certificatePem, 0o644);
  await writeKey(join(folder, 'keys', 'freshness.key'), parts.freshness, environment.random);
  await writeKey(join(folder, 'keys', 'signing.key'), parts.operator.signing, environment.random);
  await writeNew(join(bootstrap, 'directory.dsse'), parts.directory.envelope, 0o644);
  for (const { outline, envelope } of parts.publishers)
    await writeNew(join(bootstrap, 'roots', `${outline.name}.dsse`), envelope, 0o644);
  const selftest = makeSelftestList(environment, parts.publishers[0]!);
  await writeNew(join(bootstrap, 'lists', 'selftest.entries'), selftest.entries, 0o600);
  await writeNew(join(bootstrap, 'lists', 'selftest.note'), selftest.note, 0o644);
  await writeNew(join(folder, 'server.json'), serverConfig(options, parts.directory.directory.sha256), 0o600);
}

async function writeMember(
  environment: InitEnvironment,
  options: InitOptions,
  member: MemberSecrets,
  publishers: readonly DevelopmentPublisher[],
  directory: Directory,
  authority: WrittenAuthority,
): Promise<void> {
  const { outline } = member;
  const folder = memberFolder(options.folder, outline.name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const identity = await issueMember(environment, authority.authority, {
    federation: options.federation,
    member: outline.name,
  });
  await writeIdentity({ certificate: join(folder, 'member.pem'), key: join(folder, 'member.key') }, identity);
  await writeNew(join(folder, 'ca.pem'), authority.certificatePem, 0o644);
  await writeKey(join(folder, 'signing.key'), member.signing, environment.random);
  await writeNew(join(folder, 'box.key'), `${toHex(member.box)}\n`, 0o600);
  const own = publishers.find((publisher) => publisher.outline.name === outline.name);
  if (own !== undefined) await writePublisherKeys(environment, join(folder, 'keys'), own);
  await writeNew(join(folder, 'store.key'), `${toHex(environment.random.bytes(32))}\n`, 0o600);
  await writeNew(
    join(folder, 'hashfed.json'),
    memberConfig(options, outline, publishers, directory.directory.sha256),
    0o600,
  );
}

async function writeSelftest(folder: string): Promise<void> {
  await mkdir(join(folder, 'selftest'));
  for (const [name, content] of Object.entries(SELFTEST_FILES))
    await writeNew(join(folder, 'selftest', name), content, 0o644);
}
