/** Valid bodies of every trust kind, to be bent by tests. Times are around 2026-01-01, Unix milliseconds. */

import { MemberDirectory, MemberStatus } from '../../../proto/gen/hashfed/v1/directory.js';
import { MemberRole, Purpose, SignatureAlgorithm } from '../../../proto/gen/hashfed/v1/enums.js';
import {
  type FormerKey,
  type OriginPolicy,
  PublisherRoot,
  RootRole,
} from '../../../proto/gen/hashfed/v1/root.js';
import { Freshness, Liveness } from '../../../proto/gen/hashfed/v1/statements.js';
import { type BodyKind, compareBytes, signDsse } from '../../../sdk/core/index.js';
import { digestOf, type TestKey, testKey } from './keys.js';

export const T0 = 1_767_225_600_000;
export const DAY = 86_400_000;
export const ORIGIN = 'police.example/abuse/sha256/g1';
export const APPROVER = 'approve.police.example';

export const pk = (key: TestKey, name = '') => ({
  algorithm: SignatureAlgorithm.ED25519,
  key: key.publicKey,
  name,
});

export const grant = (role: RootRole, threshold: number, ...keys: TestKey[]) => ({
  role,
  threshold,
  keys: keys.map((key) => key.publicKey).sort(compareBytes),
});

export const ROOT_KEYS = [testKey('root 1'), testKey('root 2'), testKey('root 3')] as const;
export const LIST_KEY = testKey('list');
export const APPROVE_KEY = testKey('approve');
export const LIVE_KEY = testKey('live');
export const FRESHNESS_KEY = testKey('freshness');

export function originPolicy(bend: Partial<OriginPolicy> = {}): OriginPolicy {
  return {
    origin: ORIGIN,
    purpose: Purpose.LISTED,
    sequencingKey: LIST_KEY.publicKey,
    oneKeyLimit: 0n,
    minSigners: 1,
    freshnessMaxS: 0,
    maxSilenceS: 0,
    maxSealAgeS: 0,
    eraseAfterS: 0,
    backupMaxS: 0,
    autoHold: undefined,
    handOver: undefined,
    succeeds: undefined,
    ...bend,
  };
}

export function rootMessage(bend: Partial<PublisherRoot> = {}): PublisherRoot {
  return {
    publisher: 'members/police',
    version: 1n,
    issuedAtMs: BigInt(T0),
    expiresMs: BigInt(T0 + 365 * DAY),
    contact: {
      name: 'Duty desk',
      phone: '+49 30 0000000',
      email: '',
      hours: 'always',
      languages: ['de', 'en'],
    },
    criteria: { url: 'https://police.example/criteria', sha256: digestOf('criteria') },
    keys: [
      ...ROOT_KEYS.map((key) => pk(key)),
      pk(LIST_KEY),
      pk(APPROVE_KEY, APPROVER),
      pk(LIVE_KEY),
      pk(FRESHNESS_KEY),
    ],
    roles: [
      grant(RootRole.ROOT, 2, ...ROOT_KEYS),
      grant(RootRole.LIST, 1, LIST_KEY),
      grant(RootRole.APPROVE, 1, APPROVE_KEY),
      grant(RootRole.LIVE, 1, LIVE_KEY),
      grant(RootRole.FRESHNESS, 1, FRESHNESS_KEY),
    ],
    origins: [originPolicy()],
    former: [],
    previousSha256: new Uint8Array(0),
    ...bend,
  };
}

export const former = (key: TestKey, bend: Partial<FormerKey> = {}): FormerKey => ({
  origin: ORIGIN,
  key: pk(key),
  role: RootRole.LIST,
  lastGoodSize: 10n,
  lastGoodRoot: digestOf('last good'),
  revoked: false,
  ...bend,
});

export const encodeRoot = (message: PublisherRoot): Uint8Array => PublisherRoot.encode(message).finish();

export function signBody(kind: BodyKind, body: Uint8Array, ...keys: TestKey[]): Uint8Array {
  return signDsse(
    kind,
    body,
    keys.map((key) => key.signer),
  );
}

export const SIGNERS = [testKey('operator directory'), testKey('hotline directory')] as const;

export function directoryMessage(bend: Partial<MemberDirectory> = {}): MemberDirectory {
  const member = (name: string, role: MemberRole) => ({
    name: `members/${name}`,
    displayName: name,
    roles: [role],
    status: MemberStatus.ACTIVE,
    signingKeys: [
      {
        key: testKey(`${name} signing`).publicKey,
        algorithm: SignatureAlgorithm.ED25519,
        validFromMs: BigInt(T0),
        validUntilMs: 0n,
      },
    ],
    boxKeys: [],
    validFromMs: BigInt(T0),
    validUntilMs: 0n,
    readableLists:
      role === MemberRole.HOSTER ? ['police.example/abuse/*', 'selftest.example/selftest/sha256'] : [],
    domains: role === MemberRole.PUBLISHER ? ['police.example'] : [],
  });
  return {
    federation: 'federation.example',
    version: 1n,
    issuedAtMs: BigInt(T0),
    expiresMs: BigInt(T0 + 365 * DAY),
    previousSha256: new Uint8Array(0),
    signers: [
      { member: 'members/operator', key: pk(SIGNERS[0]) },
      { member: 'members/hotline', key: pk(SIGNERS[1]) },
    ],
    threshold: 2,
    members: [
      member('hoster-1', MemberRole.HOSTER),
      member('hotline', MemberRole.HOTLINE),
      member('operator', MemberRole.OPERATOR),
      member('police', MemberRole.PUBLISHER),
    ],
    development: false,
    ...bend,
  };
}

export const encodeDirectory = (message: MemberDirectory): Uint8Array =>
  MemberDirectory.encode(message).finish();

export function freshnessMessage(rootSha256: Uint8Array, bend: Partial<Freshness> = {}): Freshness {
  return {
    origin: ORIGIN,
    size: 10n,
    root: digestOf('tree 10'),
    rootVersion: 1n,
    rootSha256,
    issuedAtMs: BigInt(T0),
    notAfterMs: BigInt(T0 + 3_600_000),
    ...bend,
  };
}

export function livenessMessage(bend: Partial<Liveness> = {}): Liveness {
  return {
    origin: ORIGIN,
    rootVersion: 1n,
    size: 10n,
    root: digestOf('tree 10'),
    timeMs: BigInt(T0),
    ...bend,
  };
}

export const encodeFreshness = (message: Freshness): Uint8Array => Freshness.encode(message).finish();
export const encodeLiveness = (message: Liveness): Uint8Array => Liveness.encode(message).finish();
