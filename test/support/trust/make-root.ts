/** Vectors of publisher roots: whole chains, and single bodies with one thing wrong each. */
import { Purpose } from '../../../proto/gen/hashfed/v1/enums.js';
import { Band, type OriginPolicy, type PublisherRoot, RootRole } from '../../../proto/gen/hashfed/v1/root.js';
import { portableSha256 } from '../../../sdk/core/index.js';
import {
  APPROVE_KEY,
  APPROVER,
  encodeRoot,
  FRESHNESS_KEY,
  former,
  grant,
  LIST_KEY,
  LIVE_KEY,
  ORIGIN,
  originPolicy,
  pk,
  ROOT_KEYS,
  rootMessage,
  signBody,
  T0,
} from './bodies.js';
import { digestOf, testKey } from './keys.js';
import { hex } from './vectors.js';

const [R1, R2, R3] = ROOT_KEYS;
const NEW_LIST = testKey('list 2');
const NEW_ROOT = testKey('root 4');
const sha = (message: PublisherRoot): Uint8Array => portableSha256.digest(encodeRoot(message));

const V1 = rootMessage();
const after = (before: PublisherRoot, bend: Partial<PublisherRoot> = {}): PublisherRoot => ({
  ...before,
  version: before.version + 1n,
  previousSha256: sha(before),
  ...bend,
});

/** The sequencing key changes hands at (10, tree 10); the old one stays good for that state and before. */
const HANDED_OVER = after(V1, {
  keys: V1.keys.map((key) => (key.key === LIST_KEY.publicKey ? pk(NEW_LIST) : key)),
  roles: V1.roles.map((role) => (role.role === RootRole.LIST ? grant(RootRole.LIST, 1, NEW_LIST) : role)),
  origins: [
    originPolicy({ sequencingKey: NEW_LIST.publicKey, handOver: { size: 10n, root: digestOf('tree 10') } }),
  ],
  former: [former(LIST_KEY, { lastGoodRoot: digestOf('tree 10') })],
});
/** Root key 3 is replaced by 4. */
const ROTATED = after(HANDED_OVER, {
  keys: HANDED_OVER.keys.map((key) => (key.key === R3.publicKey ? pk(NEW_ROOT) : key)),
  roles: HANDED_OVER.roles.map((role) =>
    role.role === RootRole.ROOT ? grant(RootRole.ROOT, 2, R1, R2, NEW_ROOT) : role,
  ),
});
/** The list goes to its second generation. */
const SUCCEEDED = after(ROTATED, {
  origins: [
    originPolicy({
      origin: ORIGIN.replace('/g1', '/g2'),
      sequencingKey: NEW_LIST.publicKey,
      succeeds: { origin: ORIGIN, size: 20n, root: digestOf('tree 20') },
    }),
  ],
});

const sign = (message: PublisherRoot, ...keys: Parameters<typeof signBody>[2][]): string =>
  hex(signBody('root', encodeRoot(message), ...keys));
const E1 = sign(V1, R1, R2);
const E2 = sign(HANDED_OVER, R1, R2);

const chains = {
  valid: [
    { why: 'version 1 alone', chain: [E1], version: 1 },
    { why: 'by any two of three', chain: [sign(V1, R3, R1)], version: 1 },
    { why: 'hand-over', chain: [E1, E2], version: 2 },
    { why: 'rotation by old and new thresholds', chain: [E1, E2, sign(ROTATED, R1, R2)], version: 3 },
    { why: 'rotation, three signatures', chain: [E1, E2, sign(ROTATED, R1, R3, NEW_ROOT)], version: 3 },
    {
      why: 'next generation',
      chain: [E1, E2, sign(ROTATED, R1, R2), sign(SUCCEEDED, R1, NEW_ROOT)],
      version: 4,
    },
  ],
  invalid: [
    { why: 'version 1 with one signature', chain: [sign(V1, R1)], code: 'THRESHOLD_NOT_MET' },
    { why: 'version 1 with one key twice', chain: [sign(V1, R1, R1)], code: 'THRESHOLD_NOT_MET' },
    {
      why: 'version 1 by list and approve keys',
      chain: [sign(V1, LIST_KEY, APPROVE_KEY)],
      code: 'THRESHOLD_NOT_MET',
    },
    {
      why: 'another fingerprint',
      chain: [sign({ ...V1, issuedAtMs: BigInt(T0 + 1) }, R1, R2)],
      code: 'BAD_SIGNATURE',
    },
    { why: 'a version skipped', chain: [E1, sign(ROTATED, R1, R2)], code: 'BAD_SIGNATURE' },
    {
      why: 'a version number skipped',
      chain: [E1, sign(after(V1, { version: 3n }), R1, R2)],
      code: 'BAD_SIGNATURE',
    },
    { why: 'the same version again', chain: [E1, E1], code: 'BAD_SIGNATURE' },
    { why: 'an older version', chain: [E1, E2, E1], code: 'ROLLBACK' },
    {
      why: 'two roots of one version',
      chain: [E1, E2, sign({ ...HANDED_OVER, expiresMs: BigInt(T0 + 2) }, R1, R2)],
      code: 'EQUIVOCATION',
    },
    {
      why: 'a forged root of one version',
      chain: [E1, E2, sign({ ...HANDED_OVER, expiresMs: BigInt(T0 + 2) }, NEW_ROOT)],
      code: 'THRESHOLD_NOT_MET',
    },
    { why: 'new threshold only', chain: [E1, E2, sign(ROTATED, R1, NEW_ROOT)], code: 'THRESHOLD_NOT_MET' },
    { why: 'old threshold only', chain: [E1, E2, sign(ROTATED, R1, R3)], code: 'THRESHOLD_NOT_MET' },
    {
      why: 'another publisher',
      chain: [E1, sign(after(V1, { publisher: 'members/other' }), R1, R2)],
      code: 'BAD_SIGNATURE',
    },
    {
      why: 'another previous body',
      chain: [E1, sign(after(V1, { previousSha256: digestOf('x') }), R1, R2)],
      code: 'BAD_SIGNATURE',
    },
    {
      why: 'a former key dropped',
      chain: [E1, E2, sign(after(HANDED_OVER, { former: [] }), R1, R2)],
      code: 'MALFORMED',
    },
    {
      why: 'a last good state moved',
      chain: [
        E1,
        E2,
        sign(after(HANDED_OVER, { former: [former(LIST_KEY, { lastGoodSize: 99n })] }), R1, R2),
      ],
      code: 'MALFORMED',
    },
    {
      why: 'a generation fell',
      chain: [
        E1,
        E2,
        sign(ROTATED, R1, R2),
        sign(SUCCEEDED, R1, R2),
        sign(after(SUCCEEDED, { origins: ROTATED.origins }), R1, R2),
      ],
      code: 'MALFORMED',
    },
    { why: 'empty', chain: [], code: 'MALFORMED' },
    { why: 'starting at version 2', chain: [E2], fingerprint: hex(sha(HANDED_OVER)), code: 'MALFORMED' },
  ],
};

const policy = (bend: Partial<OriginPolicy>): Partial<PublisherRoot> => ({ origins: [originPolicy(bend)] });
const withKey = (
  key: (typeof V1.keys)[number],
  role?: (typeof V1.roles)[number],
): Partial<PublisherRoot> => ({
  keys: [...V1.keys, key],
  roles: role === undefined ? V1.roles : V1.roles.map((one) => (one.role === role.role ? role : one)),
});
const without = (role: RootRole, ...keys: Uint8Array[]): Partial<PublisherRoot> => ({
  keys: V1.keys.filter(({ key }) => !keys.includes(key)),
  roles: V1.roles.filter((one) => one.role !== role),
});
const extra = testKey('extra');

/** [field that is named, what is bent]. */
const BENT: [string, Partial<PublisherRoot>][] = [
  ['publisher', { publisher: 'police' }],
  ['publisher', { publisher: 'members/Police' }],
  ['version', { version: 0n }],
  ['version', { version: 2n ** 53n }],
  ['issued_at_ms', { issuedAtMs: 0n }],
  ['expires_ms', { expiresMs: 0n }],
  ['expires_ms', { expiresMs: BigInt(T0) }],
  ['expires_ms', { expiresMs: 2n ** 63n }],
  ['contact', { contact: undefined }],
  ['contact', { contact: { ...V1.contact!, phone: '', email: '' } }],
  ['contact.name', { contact: { ...V1.contact!, name: '' } }],
  ['contact.name', { contact: { ...V1.contact!, name: 'a\nb' } }],
  ['contact.languages', { contact: { ...V1.contact!, languages: ['DE'] } }],
  ['criteria', { criteria: undefined }],
  ['criteria.url', { criteria: { ...V1.criteria!, url: 'http://police.example' } }],
  ['criteria.sha256', { criteria: { ...V1.criteria!, sha256: new Uint8Array(31) } }],
  ['keys', { keys: [...V1.keys, V1.keys[0]!] }],
  ['keys', withKey(pk(extra))],
  ['keys[7].key', withKey({ ...pk(extra), key: new Uint8Array(32) })],
  ['keys[7].key', withKey({ ...pk(extra), key: extra.publicKey.slice(1) })],
  ['keys[7].algorithm', withKey({ ...pk(extra), algorithm: 0 })],
  ['keys[7].name', withKey(pk(extra, 'a b'))],
  ['keys', { keys: [] }],
  ['roles', without(RootRole.ROOT, ...ROOT_KEYS.map((key) => key.publicKey))],
  ['roles', without(RootRole.APPROVE, APPROVE_KEY.publicKey)],
  ['roles[1]', { roles: [V1.roles[1]!, V1.roles[0]!, ...V1.roles.slice(2)] }],
  ['roles[1]', { roles: [V1.roles[0]!, V1.roles[0]!, ...V1.roles.slice(1)] }],
  ['roles[5].role', { roles: [...V1.roles, { ...V1.roles[4]!, role: 9 as 1 }] }],
  ['roles[0].threshold', { roles: [{ ...V1.roles[0]!, threshold: 0 }, ...V1.roles.slice(1)] }],
  ['roles[0].threshold', { roles: [{ ...V1.roles[0]!, threshold: 4 }, ...V1.roles.slice(1)] }],
  [
    'roles[0].keys[1]',
    { roles: [{ ...V1.roles[0]!, keys: [...V1.roles[0]!.keys].reverse() }, ...V1.roles.slice(1)] },
  ],
  ['roles[1].threshold', withKey(pk(extra), grant(RootRole.LIST, 2, LIST_KEY, extra))],
  [
    'roles[2].keys[0]',
    { roles: V1.roles.map((one, i) => (i === 2 ? grant(RootRole.APPROVE, 1, LIST_KEY) : one)) },
  ],
  ['roles[2].keys[0]', { keys: V1.keys.map((key) => ({ ...key, name: '' })) }],
  [
    'roles[1].keys[0]',
    { keys: V1.keys.map((key) => (key.key === LIST_KEY.publicKey ? pk(LIST_KEY, ORIGIN) : key)) },
  ],
  ['keys', { keys: V1.keys.map((key) => (key.name === APPROVER ? { ...key, name: ORIGIN } : key)) }],
  ['origins', { origins: [] }],
  ['origins[1]', { origins: [originPolicy(), originPolicy()] }],
  [
    'origins',
    {
      origins: [
        originPolicy(),
        originPolicy({
          origin: ORIGIN.replace('g1', 'g2'),
          succeeds: { origin: ORIGIN, size: 1n, root: digestOf('x') },
        }),
      ],
    },
  ],
  ['origin', policy({ origin: 'police.example/abuse/sha256/g01' })],
  ['origin', policy({ origin: 'police.example/../sha256/g1' })],
  ['origins[0].purpose', policy({ purpose: 0 })],
  ['origins[0].purpose', policy({ purpose: 99 as 1 })],
  ['origins[0].purpose', policy({ purpose: Purpose.EVENTS })],
  ['origins[0].sequencing_key', policy({ sequencingKey: APPROVE_KEY.publicKey })],
  ['origins[0].min_signers', policy({ minSigners: 0 })],
  ['origins[0].min_signers', policy({ minSigners: 3 })],
  ['origins[0].one_key_limit', policy({ oneKeyLimit: 2n ** 53n })],
  ['origins[0].freshness_max_s', policy({ freshnessMaxS: 59 })],
  ['origins[0].freshness_max_s', policy({ freshnessMaxS: 21_601 })],
  ['origins[0].max_silence_s', policy({ maxSilenceS: 3599 })],
  ['origins[0].max_silence_s', policy({ maxSilenceS: 691_201 })],
  [
    'origins[0].max_silence_s',
    { ...without(RootRole.LIVE, LIVE_KEY.publicKey), ...policy({ maxSilenceS: 86_399 }) },
  ],
  ['origins[0].max_seal_age_s', policy({ maxSealAgeS: 3_024_001 })],
  ['origins[0].erase_after_s', policy({ eraseAfterS: 15_552_001 })],
  ['origins[0].backup_max_s', policy({ backupMaxS: 3_024_001 })],
  ['origins[0].auto_hold.band', policy({ autoHold: { band: Band.ZERO, hosters: 2, durationS: 60 } })],
  [
    'origins[0].auto_hold.duration_s',
    policy({ autoHold: { band: Band.TENS, hosters: 2, durationS: 259_201 } }),
  ],
  ['origins[0].hand_over.root', policy({ handOver: { size: 1n, root: new Uint8Array(0) } })],
  ['origins[0].succeeds', policy({ succeeds: { origin: ORIGIN, size: 1n, root: digestOf('x') } })],
  ['origins[0].succeeds', policy({ origin: ORIGIN.replace('g1', 'g2') })],
  [
    'origins[0].succeeds',
    policy({
      origin: ORIGIN.replace('g1', 'g3'),
      succeeds: { origin: ORIGIN, size: 1n, root: digestOf('x') },
    }),
  ],
  ['former[0]', { former: [former(LIST_KEY)] }],
  [
    'former[0]',
    { former: [former(APPROVE_KEY, { role: RootRole.APPROVE, key: pk(APPROVE_KEY, APPROVER) })] },
  ],
  ['former[0]', { former: [former(LIVE_KEY)] }],
  ['former[0].role', { former: [former(extra, { role: RootRole.ROOT })] }],
  ['former[0].key', { former: [former(extra, { key: undefined })] }],
  ['former[0].key.name', { former: [former(extra, { role: RootRole.APPROVE })] }],
  ['former[0].last_good.root', { former: [former(extra, { lastGoodRoot: new Uint8Array(0) })] }],
  ['former[1]', { former: [former(extra), former(extra)] }],
  ['previous_sha256', { previousSha256: digestOf('x') }],
  ['previous_sha256', { version: 2n }],
];

export function makeRoot(): unknown {
  const fingerprint = hex(sha(V1));
  const accepted = [
    encodeRoot(V1),
    encodeRoot({ ...V1, ...without(RootRole.LIVE, LIVE_KEY.publicKey) }),
    encodeRoot({ ...V1, ...without(RootRole.FRESHNESS, FRESHNESS_KEY.publicKey) }),
    encodeRoot({
      ...V1,
      ...withKey({ ...pk(extra), algorithm: 2 as 1 }, grant(RootRole.ROOT, 2, ...ROOT_KEYS, extra)),
    }),
    encodeRoot({
      ...V1,
      ...policy({ minSigners: 2, oneKeyLimit: 5n, autoHold: { band: 3, hosters: 0, durationS: 9 } }),
    }),
  ];
  const body = encodeRoot(V1);
  const bytes = [
    ['an unknown field', Uint8Array.of(...body, 0xfa, 0x01, 0)],
    ['a field twice', Uint8Array.of(...body, 0x10, 1)],
    ['an explicit default', Uint8Array.of(...body, 0x5a, 0)],
    ['an overlong number', Uint8Array.of(0x0a, 0x8e, 0x00, ...body.slice(2))],
    ['truncated', body.slice(0, -1)],
    ['a trailing zero', Uint8Array.of(...body, 0)],
  ] as const;
  return {
    fingerprint,
    chains: {
      valid: chains.valid.map((one) => ({ ...one, fingerprint })),
      invalid: chains.invalid.map((one) => ({ fingerprint, ...one })),
    },
    bodies: {
      valid: accepted.map(hex),
      invalid: [
        ...BENT.map(([field, bend]) => ({ body: hex(encodeRoot({ ...V1, ...bend })), field })),
        ...bytes.map(([why, bent]) => ({ why, body: hex(bent), field: 'root' })),
      ],
    },
  };
}
