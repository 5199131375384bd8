import {
  MemberDirectory as DirectoryMessage,
  type MemberKey,
  type Member as MemberMessage,
  MemberStatus,
} from '../../proto/gen/hashfed/v1/directory.js';
import { MemberRole, SignatureAlgorithm } from '../../proto/gen/hashfed/v1/enums.js';
import {
  type BodySigner,
  equalBytes,
  HashfedError,
  type MemberDirectory,
  nextDirectory,
  type MemberRole as Role,
  type Suite,
  signDsse,
  startDirectory,
} from '../../sdk/core/index.js';

/** A member as it is to stand in the directory. */
export interface MemberPlan {
  /** Name without the `members/` prefix. */
  readonly name: string;
  readonly displayName: string;
  readonly roles: readonly Role[];
  /** `domain/collection/type`, or a prefix of that whose last part is `*`. */
  readonly readableLists?: readonly string[];
  /** Where it publishes: the domains of its origins. */
  readonly domains?: readonly string[];
  /** Raw Ed25519 public keys of its DSSE bodies. */
  readonly signingKeys?: readonly Uint8Array[];
  /** Raw X25519 public keys. */
  readonly boxKeys?: readonly Uint8Array[];
}

/** One who signs the directory; the key is the signer's alone. */
export interface DirectorySignerPlan {
  /** Name of the member without the `members/` prefix. */
  readonly member: string;
  readonly signer: BodySigner;
}

/** A signed version: the envelope to hand out and the verified directory in it. */
export interface BuiltDirectory {
  readonly envelope: Uint8Array;
  readonly directory: MemberDirectory;
}

export interface FirstDirectoryPlan {
  readonly federation: string;
  readonly issuedAtMs: number;
  /** Days until it expires. */
  readonly days: number;
  readonly signers: readonly DirectorySignerPlan[];
  readonly members: readonly MemberPlan[];
}

const ROLE_NUMBERS: Readonly<Record<Role, MemberRole>> = {
  publisher: MemberRole.PUBLISHER,
  hotline: MemberRole.HOTLINE,
  hoster: MemberRole.HOSTER,
  monitor: MemberRole.MONITOR,
  mirror: MemberRole.MIRROR,
  witness: MemberRole.WITNESS,
  operator: MemberRole.OPERATOR,
  authority: MemberRole.AUTHORITY,
  auditor: MemberRole.AUDITOR,
};

/**
 * Version 1, signed by all its signers. One signer alone makes a development federation, shown as such
 * wherever it is named. Checked as its readers will check it: throws MALFORMED naming the field.
 */
export function buildFirstDirectory(suite: Suite, plan: FirstDirectoryPlan): BuiltDirectory {
  const body = DirectoryMessage.encode({
    federation: plan.federation,
    version: 1n,
    issuedAtMs: BigInt(plan.issuedAtMs),
    expiresMs: BigInt(plan.issuedAtMs + plan.days * 86_400_000),
    previousSha256: new Uint8Array(0),
    signers: plan.signers.map(({ member, signer }) => ({
      member: `members/${member}`,
      key: { algorithm: SignatureAlgorithm.ED25519, key: signer.publicKey, name: '' },
    })),
    threshold: plan.signers.length,
    members: sorted(plan.members.map((member) => memberMessage(member, plan.issuedAtMs))),
    development: plan.signers.length === 1,
  }).finish();
  const envelope = sign(body, plan.signers);
  return { envelope, directory: startDirectory(suite, envelope, suite.sha256.digest(body)) };
}

/** What changes from one version to the next. */
export interface DirectoryChange {
  readonly issuedAtMs: number;
  readonly days: number;
  /** Members to add, or to replace where the name stands already. */
  readonly put?: readonly MemberPlan[];
  /** Names of members that may no longer act; they stay listed, so that what they signed can be judged. */
  readonly revoke?: readonly string[];
}

/** The next version, signed by the same signer set. Throws as `nextDirectory` does, and NOT_FOUND. */
export function buildNextDirectory(
  suite: Suite,
  current: MemberDirectory,
  change: DirectoryChange,
  signers: readonly BodySigner[],
): BuiltDirectory {
  const old = DirectoryMessage.decode(current.body);
  const members = new Map(old.members.map((member) => [member.name, member]));
  for (const plan of change.put ?? []) {
    const next = memberMessage(plan, change.issuedAtMs);
    const before = members.get(next.name);
    members.set(next.name, before === undefined ? next : follow(before, next, change.issuedAtMs));
  }
  for (const name of change.revoke ?? []) revoke(members, name);
  const body = DirectoryMessage.encode({
    ...old,
    version: old.version + 1n,
    issuedAtMs: BigInt(change.issuedAtMs),
    expiresMs: BigInt(change.issuedAtMs + change.days * 86_400_000),
    previousSha256: current.sha256,
    members: sorted([...members.values()]),
  }).finish();
  const envelope = signDsse('directory', body, signers);
  return { envelope, directory: nextDirectory(suite, current, envelope) };
}

/** A changed member keeps its start; its keys keep theirs, and those it no longer has end now. */
function follow(before: MemberMessage, next: MemberMessage, nowMs: number): MemberMessage {
  return {
    ...next,
    validFromMs: before.validFromMs,
    signingKeys: followKeys(before.signingKeys, next.signingKeys, nowMs),
    boxKeys: followKeys(before.boxKeys, next.boxKeys, nowMs),
  };
}

function followKeys(before: readonly MemberKey[], next: readonly MemberKey[], nowMs: number): MemberKey[] {
  const held = (keys: readonly MemberKey[], key: Uint8Array) => keys.some((one) => equalBytes(one.key, key));
  const now = BigInt(nowMs);
  const kept = before.map((one) => {
    const open = one.validUntilMs === 0n || one.validUntilMs > now;
    return open && !held(next, one.key) && one.validFromMs < now ? { ...one, validUntilMs: now } : one;
  });
  return [...kept, ...next.filter((one) => !held(before, one.key))];
}

function revoke(members: Map<string, MemberMessage>, name: string): void {
  const member = members.get(`members/${name}`);
  if (member === undefined) throw new HashfedError('NOT_FOUND', `no member ${name}`, { field: 'member' });
  members.set(member.name, { ...member, status: MemberStatus.REVOKED });
}

function memberMessage(plan: MemberPlan, fromMs: number): MemberMessage {
  return {
    name: `members/${plan.name}`,
    displayName: plan.displayName,
    roles: [...new Set(plan.roles.map((role) => ROLE_NUMBERS[role]))].sort((a, b) => a - b),
    status: MemberStatus.ACTIVE,
    signingKeys: (plan.signingKeys ?? []).map((key) => memberKey(key, SignatureAlgorithm.ED25519, fromMs)),
    boxKeys: (plan.boxKeys ?? []).map((key) => memberKey(key, SignatureAlgorithm.UNSPECIFIED, fromMs)),
    validFromMs: BigInt(fromMs),
    validUntilMs: 0n,
    readableLists: [...new Set(plan.readableLists)].sort(byText),
    domains: [...new Set(plan.domains)].sort(byText),
  };
}

function memberKey(key: Uint8Array, algorithm: SignatureAlgorithm, fromMs: number) {
  return { key, algorithm, validFromMs: BigInt(fromMs), validUntilMs: 0n };
}

function sorted(members: readonly MemberMessage[]): MemberMessage[] {
  return [...members].sort((a, b) => byText(a.name, b.name));
}

/** Names are ASCII, so code units order them as bytes do. */
function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function sign(body: Uint8Array, signers: readonly DirectorySignerPlan[]): Uint8Array {
  return signDsse(
    'directory',
    body,
    signers.map(({ signer }) => signer),
  );
}
