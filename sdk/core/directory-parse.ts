/** Directory bodies: strict decoding, then every field by name. docs/spec/signatures.md, "The member directory". */
import type {
  MemberKey as KeyMessage,
  Member as MemberMessage,
} from '../../proto/gen/hashfed/v1/directory.js';
import {
  MemberDirectory as DirectoryMessage,
  MemberStatus as Status,
} from '../../proto/gen/hashfed/v1/directory.js';
import { MemberRole as Role, SignatureAlgorithm } from '../../proto/gen/hashfed/v1/enums.js';
import { decodeStrict } from './body.js';
import { toHex } from './bytes.js';
import {
  checkAscending,
  checkBytes,
  checkCount,
  checkEnum,
  checkMemberName,
  checkText,
  checkU53,
  compareText,
} from './check.js';
import type { Member, MemberDirectory, MemberKey, MemberRole, MemberStatus } from './directory.js';
import { malformed } from './errors.js';
import { MAX_DIRECTORY_BYTES, MAX_FOREIGN_KEY_BYTES } from './limits-trust.js';
import { parseKey } from './root-key.js';
import { parsePrevious } from './root-parse.js';
import type { Sha256 } from './sha256.js';
import { isStrictPublicKey } from './signature.js';

const MAX_SIGNERS = 16;
const MAX_MEMBERS = 10_000;
const ROLES: Readonly<Record<number, MemberRole>> = {
  [Role.PUBLISHER]: 'publisher',
  [Role.HOTLINE]: 'hotline',
  [Role.HOSTER]: 'hoster',
  [Role.MONITOR]: 'monitor',
  [Role.MIRROR]: 'mirror',
  [Role.WITNESS]: 'witness',
  [Role.OPERATOR]: 'operator',
  [Role.AUTHORITY]: 'authority',
  [Role.AUDITOR]: 'auditor',
};
const STATUSES: Readonly<Record<number, MemberStatus>> = {
  [Status.ACTIVE]: 'active',
  [Status.SUSPENDED]: 'suspended',
  [Status.REVOKED]: 'revoked',
};
/** `domain/collection/type` with `*` for a whole last part, or `*` for everything. */
const READABLE = /^(\*|[a-z0-9.-]{1,64}\/(\*|[a-z0-9-]{1,32}\/(\*|md5|sha1|sha256|pdq|photodna|events)))$/;
const DOMAIN = /^[a-z0-9.-]{1,64}$/;

/** Parses and checks a body on its own; who signed it is `directory-chain.ts`'s business. Throws `MALFORMED`. */
export function parseDirectory(sha: Sha256, body: Uint8Array): MemberDirectory {
  const message = decodeStrict(DirectoryMessage, body, 'directory', MAX_DIRECTORY_BYTES);
  const version = checkU53(message.version, 'version', 1);
  const issuedAtMs = checkU53(message.issuedAtMs, 'issued_at_ms', 1);
  const signers = parseSigners(message);
  checkCount(message.members, 'members', 0, MAX_MEMBERS);
  checkAscending(message.members, 'members', (a, b) => compareText(a.name, b.name));
  const members = message.members.map((member, i) => parseMember(member, `members[${i}]`));
  checkDistinctKeys(signers, members);
  return {
    federation: checkFederation(message.federation),
    version,
    issuedAtMs,
    expiresMs: checkU53(message.expiresMs, 'expires_ms', issuedAtMs + 1),
    previousSha256: parsePrevious(message.previousSha256, version),
    signers,
    threshold: message.threshold,
    members: new Map(members.map((member) => [member.name, member])),
    development: message.development,
    body: body.slice(),
    sha256: sha.digest(body),
  };
}

/** A host name: the trust domain of the members' SPIFFE ids. */
function checkFederation(name: string): string {
  return /^[a-z0-9.-]{1,253}$/.test(name) ? name : malformed('federation', 'is no host name');
}

/** Outside a development federation no single party may change the directory: two signers, threshold 2 at least. */
function parseSigners({ signers, threshold, development }: DirectoryMessage): MemberDirectory['signers'] {
  const least = development ? 1 : 2;
  checkCount(signers, 'signers', least, MAX_SIGNERS);
  if (threshold < least || threshold > signers.length)
    malformed('threshold', `is not in ${least} to all signers`);
  if (new Set(signers.map(({ member }) => member)).size < signers.length)
    malformed('signers', 'names a member twice');
  return signers.map(({ member, key }, i) => {
    const field = `signers[${i}]`;
    const parsed = parseKey(key, `${field}.key`);
    if (!parsed.ed25519) malformed(`${field}.key`, 'is of an unknown algorithm');
    if (parsed.name !== '') malformed(`${field}.key.name`, 'is for keys that sign notes');
    return { member: checkMemberName(member, `${field}.member`), key: parsed.key };
  });
}

function parseMember(member: MemberMessage, field: string): Member {
  checkCount(member.roles, `${field}.roles`, 1, 9);
  checkAscending(member.roles, `${field}.roles`, (a, b) => a - b);
  return {
    name: checkMemberName(member.name, `${field}.name`),
    displayName: checkText(member.displayName, `${field}.display_name`, 0, 256),
    roles: member.roles.map((role) => checkEnum(ROLES, role, `${field}.roles`)),
    status: checkEnum(STATUSES, member.status, `${field}.status`),
    signingKeys: parseKeys(member.signingKeys, `${field}.signing_keys`, 8, false),
    boxKeys: parseKeys(member.boxKeys, `${field}.box_keys`, 4, true),
    ...parseValidity(member, field),
    readableLists: parseTexts(member.readableLists, `${field}.readable_lists`, 1024, READABLE),
    domains: parseTexts(member.domains, `${field}.domains`, 16, DOMAIN),
  };
}

function parseTexts(list: readonly string[], field: string, max: number, shape: RegExp): readonly string[] {
  checkCount(list, field, 0, max);
  checkAscending(list, field, compareText);
  list.forEach((text, i) => {
    if (!shape.test(text)) malformed(`${field}[${i}]`, 'has another shape');
  });
  return list;
}

function parseValidity(
  one: { readonly validFromMs: bigint; readonly validUntilMs: bigint },
  field: string,
): { validFromMs: number; validUntilMs: number } {
  const validFromMs = checkU53(one.validFromMs, `${field}.valid_from_ms`);
  if (one.validUntilMs === 0n) return { validFromMs, validUntilMs: Number.POSITIVE_INFINITY };
  return {
    validFromMs,
    validUntilMs: checkU53(one.validUntilMs, `${field}.valid_until_ms`, validFromMs + 1),
  };
}

function parseKeys(keys: readonly KeyMessage[], field: string, max: number, box: boolean): MemberKey[] {
  checkCount(keys, field, 0, max);
  return keys.map((one, i) => {
    const at = `${field}[${i}]`;
    const ed25519 = one.algorithm === SignatureAlgorithm.ED25519;
    if (box !== (one.algorithm === 0)) malformed(`${at}.algorithm`, 'is for signing keys, which need one');
    if (box) checkBytes(one.key, `${at}.key`, 32);
    if (ed25519 && !isStrictPublicKey(one.key)) malformed(`${at}.key`, 'is no strong canonical Ed25519 key');
    if (one.key.length === 0 || one.key.length > MAX_FOREIGN_KEY_BYTES)
      malformed(`${at}.key`, 'has a bad length');
    return { key: one.key, usable: box || ed25519, ...parseValidity(one, at) };
  });
}

/** A key with two owners or two jobs could be made to say in one place what it signed for another. */
function checkDistinctKeys(signers: MemberDirectory['signers'], members: readonly Member[]): void {
  const seen = new Set<string>();
  const take = (key: Uint8Array, field: string): void => {
    const text = toHex(key);
    if (seen.has(text)) malformed(field, 'is a key that stands elsewhere in the directory');
    seen.add(text);
  };
  for (const { key } of signers) take(key, 'signers');
  for (const member of members)
    for (const { key } of [...member.signingKeys, ...member.boxKeys]) take(key, member.name);
}
