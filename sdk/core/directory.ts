/** The member directory: who belongs to a federation, with which keys, roles and readable lists. */
import type { Origin } from './origin.js';
import { listOf } from './root-origin.js';

export type MemberRole =
  | 'publisher'
  | 'hotline'
  | 'hoster'
  | 'monitor'
  | 'mirror'
  | 'witness'
  | 'operator'
  | 'authority'
  | 'auditor';
export type MemberStatus = 'active' | 'suspended' | 'revoked';

/** Counts in [validFromMs, validUntilMs). */
export interface MemberKey {
  readonly key: Uint8Array;
  /** False for an algorithm this version does not know: such a key never counts. Box keys are X25519. */
  readonly usable: boolean;
  readonly validFromMs: number;
  /** Infinity where open. */
  readonly validUntilMs: number;
}

export interface Member {
  /** `members/{member}`. */
  readonly name: string;
  readonly displayName: string;
  readonly roles: readonly MemberRole[];
  readonly status: MemberStatus;
  readonly signingKeys: readonly MemberKey[];
  readonly boxKeys: readonly MemberKey[];
  readonly validFromMs: number;
  readonly validUntilMs: number;
  readonly readableLists: readonly string[];
  readonly domains: readonly string[];
}

export interface MemberDirectory {
  readonly federation: string;
  readonly version: number;
  readonly issuedAtMs: number;
  readonly expiresMs: number;
  readonly previousSha256: Uint8Array | undefined;
  readonly signers: readonly { readonly member: string; readonly key: Uint8Array }[];
  readonly threshold: number;
  /** By name. */
  readonly members: ReadonlyMap<string, Member>;
  /** True: one party can change everything here. Programs show it wherever they show the federation. */
  readonly development: boolean;
  /** The signed bytes and their SHA-256; of version 1 the latter is what members pin. */
  readonly body: Uint8Array;
  readonly sha256: Uint8Array;
}

/** Expired from `expires_ms` on. */
export function isDirectoryExpired(directory: MemberDirectory, nowMs: number): boolean {
  return nowMs >= directory.expiresMs;
}

const inForce = (one: { validFromMs: number; validUntilMs: number }, nowMs: number): boolean =>
  one.validFromMs <= nowMs && nowMs < one.validUntilMs;

/** True if the member may act now. */
export function isActive(member: Member, nowMs: number): boolean {
  return member.status === 'active' && inForce(member, nowMs);
}

/** The member, if it may act now; undefined for strangers, suspended, revoked and outdated ones alike. */
export function activeMember(directory: MemberDirectory, name: string, nowMs: number): Member | undefined {
  const member = directory.members.get(name);
  return member !== undefined && isActive(member, nowMs) ? member : undefined;
}

/** Raw keys with which the member's statements of this moment may be signed. */
export function signingKeysAt(member: Member, timeMs: number): Uint8Array[] {
  return member.signingKeys.filter((one) => one.usable && inForce(one, timeMs)).map(({ key }) => key);
}

/** The X25519 key to seal to: the last one in force. */
export function boxKeyAt(member: Member, timeMs: number): Uint8Array | undefined {
  return member.boxKeys.findLast((one) => inForce(one, timeMs))?.key;
}

/** `domain/collection/type`, `domain/collection/*`, `domain/*` or `*`; any generation. */
export function mayRead(member: Member, origin: Origin): boolean {
  const { domain, collection } = origin;
  const grants = [listOf(origin), `${domain}/${collection}/*`, `${domain}/*`, '*'];
  return grants.some((grant) => member.readableLists.includes(grant));
}

/** True if the publisher may have origins in this domain. */
export function mayPublish(member: Member, origin: Origin): boolean {
  return member.roles.includes('publisher') && member.domains.includes(origin.domain);
}
