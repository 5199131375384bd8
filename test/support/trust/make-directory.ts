/** Vectors of member directories: chains, and single bodies with one thing wrong each. */
import { type Member, type MemberDirectory, MemberStatus } from '../../../proto/gen/hashfed/v1/directory.js';
import { portableSha256 } from '../../../sdk/core/index.js';
import { directoryMessage, encodeDirectory, pk, SIGNERS, signBody, T0 } from './bodies.js';
import { digestOf, testKey } from './keys.js';
import { hex } from './vectors.js';

const [OPERATOR, HOTLINE] = SIGNERS;
const MONITOR = testKey('monitor directory');
const sha = (message: MemberDirectory): Uint8Array => portableSha256.digest(encodeDirectory(message));
const after = (before: MemberDirectory, bend: Partial<MemberDirectory> = {}): MemberDirectory => ({
  ...before,
  version: before.version + 1n,
  previousSha256: sha(before),
  ...bend,
});
const sign = (message: MemberDirectory, ...keys: Parameters<typeof signBody>[2][]): string =>
  hex(signBody('directory', encodeDirectory(message), ...keys));

const V1 = directoryMessage();
const V2 = after(V1, { signers: [...V1.signers, { member: 'members/monitor', key: pk(MONITOR) }] });
const V3 = after(V2, { threshold: 3 });
const THREE = directoryMessage({ signers: V2.signers });
const DEVELOPMENT = directoryMessage({ signers: [V1.signers[0]!], threshold: 1, development: true });
const E1 = sign(V1, OPERATOR, HOTLINE);
const E2 = sign(V2, OPERATOR, HOTLINE);
const E3 = sign(V3, OPERATOR, HOTLINE, MONITOR);
const swapped = { ...V2, expiresMs: V2.expiresMs + 1n };

const chains = {
  valid: [
    { why: 'version 1 by all its signers', chain: [E1], version: 1 },
    { why: 'a signer joins', chain: [E1, E2], version: 2 },
    { why: 'the threshold rises', chain: [E1, E2, E3], version: 3 },
    {
      why: 'development by the operator alone',
      chain: [sign(DEVELOPMENT, OPERATOR)],
      pinned: hex(sha(DEVELOPMENT)),
      version: 1,
    },
    {
      why: 'development grows up',
      chain: [
        sign(DEVELOPMENT, OPERATOR),
        sign(after(DEVELOPMENT, { ...V1, version: 2n, previousSha256: sha(DEVELOPMENT) }), OPERATOR, HOTLINE),
      ],
      pinned: hex(sha(DEVELOPMENT)),
      version: 2,
    },
  ],
  invalid: [
    {
      why: 'version 1 by its threshold, but not by every signer',
      chain: [sign(THREE, OPERATOR, HOTLINE)],
      pinned: hex(sha(THREE)),
      code: 'THRESHOLD_NOT_MET',
    },
    { why: 'version 1 without one signer', chain: [sign(V1, OPERATOR)], code: 'THRESHOLD_NOT_MET' },
    {
      why: 'another version 1 than the pinned one',
      chain: [sign({ ...V1, expiresMs: V1.expiresMs + 1n }, OPERATOR, HOTLINE)],
      code: 'BAD_SIGNATURE',
    },
    {
      why: 'new threshold without the old',
      chain: [
        E1,
        sign(
          after(V1, {
            signers: [
              { member: 'members/operator', key: pk(OPERATOR) },
              { member: 'members/monitor', key: pk(MONITOR) },
            ],
          }),
          OPERATOR,
          MONITOR,
        ),
      ],
      code: 'THRESHOLD_NOT_MET',
    },
    {
      why: 'old threshold without the new',
      chain: [E1, E2, sign(V3, OPERATOR, HOTLINE)],
      code: 'THRESHOLD_NOT_MET',
    },
    {
      why: 'the threshold falls',
      chain: [E1, E2, E3, sign(after(V3, { threshold: 2 }), OPERATOR, HOTLINE, MONITOR)],
      code: 'MALFORMED',
    },
    { why: 'a version skipped', chain: [E1, E3], code: 'BAD_SIGNATURE' },
    { why: 'rolled back', chain: [E1, E2, E1], code: 'ROLLBACK' },
    { why: 'swapped', chain: [E1, E2, sign(swapped, OPERATOR, MONITOR)], code: 'EQUIVOCATION' },
    {
      why: 'swapped by the operator alone',
      chain: [E1, E2, sign(swapped, OPERATOR)],
      code: 'THRESHOLD_NOT_MET',
    },
    {
      why: 'another federation',
      chain: [E1, sign(after(V1, { federation: 'other.example' }), OPERATOR, HOTLINE)],
      code: 'BAD_SIGNATURE',
    },
    {
      why: 'another previous body',
      chain: [E1, sign(after(V1, { previousSha256: digestOf('x') }), OPERATOR, HOTLINE)],
      code: 'BAD_SIGNATURE',
    },
    {
      why: 'back to development',
      chain: [E1, sign(after(V1, { development: true }), OPERATOR, HOTLINE)],
      code: 'MALFORMED',
    },
  ],
};

const withMember = (bend: Partial<Member>): Partial<MemberDirectory> => ({
  members: [{ ...V1.members[0]!, ...bend }, ...V1.members.slice(1)],
});
const key = V1.members[0]!.signingKeys[0]!;

const BENT: [string, Partial<MemberDirectory>][] = [
  ['federation', { federation: 'Federation' }],
  ['federation', { federation: '' }],
  ['version', { version: 0n }],
  ['issued_at_ms', { issuedAtMs: 0n }],
  ['expires_ms', { expiresMs: BigInt(T0) }],
  ['previous_sha256', { previousSha256: digestOf('x') }],
  ['signers', { signers: [V1.signers[0]!], threshold: 1 }],
  ['signers', { signers: [] }],
  ['signers', { signers: [V1.signers[0]!, { member: 'members/operator', key: pk(HOTLINE) }] }],
  ['signers', { signers: [V1.signers[0]!, { member: 'members/hotline', key: pk(OPERATOR) }] }],
  ['signers[0].key', { signers: [{ member: 'members/operator', key: undefined }, V1.signers[1]!] }],
  [
    'signers[0].key.key',
    {
      signers: [
        { member: 'members/operator', key: { ...pk(OPERATOR), key: new Uint8Array(32) } },
        V1.signers[1]!,
      ],
    },
  ],
  [
    'signers[0].key.name',
    { signers: [{ member: 'members/operator', key: pk(OPERATOR, 'x') }, V1.signers[1]!] },
  ],
  ['threshold', { threshold: 1 }],
  ['threshold', { threshold: 3 }],
  ['members[1]', { members: [V1.members[1]!, V1.members[0]!] }],
  ['members[1]', { members: [V1.members[0]!, V1.members[0]!] }],
  ['members[0].name', withMember({ name: 'hoster' })],
  ['members[0].roles', withMember({ roles: [] })],
  ['members[0].roles', withMember({ roles: [0] })],
  ['members[0].roles', withMember({ roles: [10 as 1] })],
  ['members[0].roles[1]', withMember({ roles: [3, 3] })],
  ['members[0].status', withMember({ status: MemberStatus.UNSPECIFIED })],
  ['members[0].valid_until_ms', withMember({ validUntilMs: 1n })],
  ['members[0].signing_keys[0].key', withMember({ signingKeys: [{ ...key, key: new Uint8Array(32) }] })],
  ['members[0].signing_keys[0].algorithm', withMember({ signingKeys: [{ ...key, algorithm: 0 }] })],
  ['members[0].box_keys[0].algorithm', withMember({ boxKeys: [key] })],
  [
    'members[0].box_keys[0].key',
    withMember({ boxKeys: [{ ...key, algorithm: 0, key: new Uint8Array(31) }] }),
  ],
  ['members/hoster-1', withMember({ boxKeys: [{ ...key, algorithm: 0 }] })],
  ['members/hoster-1', withMember({ signingKeys: [{ ...key, key: OPERATOR.publicKey }] })],
  ['members/hotline', withMember({ signingKeys: [V1.members[1]!.signingKeys[0]!] })],
  ['members[0].readable_lists[0]', withMember({ readableLists: ['police.example/abuse/sha256/g1'] })],
  ['members[0].readable_lists[0]', withMember({ readableLists: ['police.example/*/sha256'] })],
  ['members[0].readable_lists[1]', withMember({ readableLists: ['b.example/*', 'a.example/*'] })],
  ['members[0].domains[0]', withMember({ domains: ['a b'] })],
];

export function makeDirectory(): unknown {
  const pinned = hex(sha(V1));
  const open = {
    ...V1.members[0]!,
    readableLists: ['*'],
    boxKeys: [{ ...key, algorithm: 0 as const, key: digestOf('box') }],
  };
  return {
    chains: {
      valid: chains.valid.map((one) => ({ pinned, ...one })),
      invalid: chains.invalid.map((one) => ({ pinned, ...one })),
    },
    bodies: {
      valid: [V1, DEVELOPMENT, { ...V1, members: [] }, { ...V1, members: [open] }].map((one) =>
        hex(encodeDirectory(one)),
      ),
      invalid: BENT.map(([field, bend]) => ({ body: hex(encodeDirectory({ ...V1, ...bend })), field })),
    },
  };
}
