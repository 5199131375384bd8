/** Root bodies: strict decoding, then every field by name. docs/spec/signatures.md, "The publisher root". */
import type { RoleGrant } from '../../proto/gen/hashfed/v1/root.js';
import { PublisherRoot as RootMessage } from '../../proto/gen/hashfed/v1/root.js';
import { decodeStrict } from './body.js';
import { compareBytes, toHex } from './bytes.js';
import {
  checkAscending,
  checkBytes,
  checkCount,
  checkEnum,
  checkMemberName,
  checkText,
  checkU53,
} from './check.js';
import { malformed } from './errors.js';
import { MAX_ROOT_BYTES } from './limits-trust.js';
import type { Contact, PublisherRoot, RoleKeys, RootKey, RootRoleName } from './root.js';
import { parseFormer } from './root-former.js';
import { parseKey, ROLE_NAMES } from './root-key.js';
import { parseOriginPolicies } from './root-origin.js';
import type { Sha256 } from './sha256.js';

const MAX_ROOT_KEYS = 64;
const MAX_LANGUAGES = 16;
/** Roles that exactly one signature answers for. */
const SINGLE: readonly RootRoleName[] = ['list', 'live', 'freshness'];
const REQUIRED: readonly RootRoleName[] = ['root', 'list', 'approve'];

/** Parses and checks a body on its own; who signed it is `root-chain.ts`'s business. Throws `MALFORMED`. */
export function parseRoot(sha: Sha256, body: Uint8Array): PublisherRoot {
  const message = decodeStrict(RootMessage, body, 'root', MAX_ROOT_BYTES);
  const version = checkU53(message.version, 'version', 1);
  const issuedAtMs = checkU53(message.issuedAtMs, 'issued_at_ms', 1);
  const roles = parseRoles(message);
  const origins = parseOriginPolicies(message.origins, roles);
  return {
    publisher: checkMemberName(message.publisher, 'publisher'),
    version,
    issuedAtMs,
    expiresMs: checkU53(message.expiresMs, 'expires_ms', issuedAtMs + 1),
    contact: parseContact(message.contact),
    criteria: parseCriteria(message.criteria),
    roles,
    origins,
    former: parseFormer(message.former, roles, origins),
    previousSha256: parsePrevious(message.previousSha256, version),
    body: body.slice(),
    sha256: sha.digest(body),
  };
}

/** Empty in version 1, 32 bytes ever after. */
export function parsePrevious(bytes: Uint8Array, version: number): Uint8Array | undefined {
  checkBytes(bytes, 'previous_sha256', version === 1 ? 0 : 32);
  return version === 1 ? undefined : bytes;
}

function parseContact(contact: RootMessage['contact']): Contact {
  if (contact === undefined) return malformed('contact', 'is required');
  if (contact.phone === '' && contact.email === '')
    malformed('contact', 'needs a telephone number or an e-mail');
  checkCount(contact.languages, 'contact.languages', 0, MAX_LANGUAGES);
  for (const code of contact.languages) {
    if (!/^[a-z]{2}$/.test(code)) malformed('contact.languages', 'is no two-letter code');
  }
  return {
    name: checkText(contact.name, 'contact.name', 1, 256),
    phone: checkText(contact.phone, 'contact.phone', 0, 64),
    email: checkText(contact.email, 'contact.email', 0, 254),
    hours: checkText(contact.hours, 'contact.hours', 0, 256),
    languages: contact.languages,
  };
}

function parseCriteria(criteria: RootMessage['criteria']): PublisherRoot['criteria'] {
  if (criteria === undefined) return malformed('criteria', 'is required');
  const url = checkText(criteria.url, 'criteria.url', 1, 1024);
  if (!url.startsWith('https://')) malformed('criteria.url', 'is no https address');
  return { url, sha256: checkBytes(criteria.sha256, 'criteria.sha256', 32) };
}

/** Grants ascending by role; each key listed once in `keys` and named by exactly one role. */
function parseRoles(message: RootMessage): PublisherRoot['roles'] {
  checkCount(message.keys, 'keys', 1, MAX_ROOT_KEYS);
  const keys = new Map(message.keys.map((key, i) => [toHex(key.key), parseKey(key, `keys[${i}]`)]));
  if (keys.size < message.keys.length) malformed('keys', 'holds one key twice');
  checkAscending(message.roles, 'roles', (a, b) => a.role - b.role);
  const unused = new Map(keys);
  const none: RoleKeys = { threshold: 1, keys: [] };
  const roles = { root: none, list: none, approve: none, live: none, freshness: none };
  message.roles.forEach((grant, i) => {
    const role = checkEnum(ROLE_NAMES, grant.role, `roles[${i}].role`);
    roles[role] = parseGrant(grant, role, `roles[${i}]`, unused);
  });
  for (const role of REQUIRED) if (roles[role].keys.length === 0) malformed('roles', `lacks ${role}`);
  if (unused.size > 0) malformed('keys', 'holds a key that no role names');
  return roles;
}

/** Takes the grant's keys out of `unused`: what is not there is unknown, or another role has it already. */
function parseGrant(
  grant: RoleGrant,
  role: RootRoleName,
  field: string,
  unused: Map<string, RootKey>,
): RoleKeys {
  checkCount(grant.keys, `${field}.keys`, 1, MAX_ROOT_KEYS);
  checkAscending(grant.keys, `${field}.keys`, compareBytes);
  const most = SINGLE.includes(role) ? 1 : grant.keys.length;
  if (grant.threshold < 1 || grant.threshold > most)
    malformed(`${field}.threshold`, `is not in 1 to ${most}`);
  const keys = grant.keys.map((bytes, i) => {
    const key =
      unused.get(toHex(bytes)) ?? malformed(`${field}.keys[${i}]`, 'is not in keys, or has another role');
    unused.delete(toHex(bytes));
    if ((role === 'approve') !== (key.name !== '')) {
      malformed(`${field}.keys[${i}]`, 'a name is for approve keys, which need one');
    }
    return key;
  });
  return { threshold: grant.threshold, keys };
}
