/** Keys that left a root. They count only on proven prefixes of the last good state. */
import type { FormerKey as FormerMessage } from '../../proto/gen/hashfed/v1/root.js';
import { compareBytes, equalBytes } from './bytes.js';
import { checkAscending, checkCount, checkEnum, compareText } from './check.js';
import { malformed } from './errors.js';
import { MAX_FORMER_KEYS } from './limits-trust.js';
import { parseOrigin } from './origin.js';
import type { FormerKey, PublisherRoot, RootKey } from './root.js';
import { parseKey, ROLE_NAMES } from './root-key.js';
import { parseState } from './root-origin.js';

type Roles = PublisherRoot['roles'];
type Origins = PublisherRoot['origins'];

const NO_BYTES = new Uint8Array(0);

/** Ascending by (origin, key). */
export function parseFormer(
  list: readonly FormerMessage[],
  roles: Roles,
  origins: Origins,
): readonly FormerKey[] {
  checkCount(list, 'former', 0, MAX_FORMER_KEYS);
  checkAscending(list, 'former', (a, b) => {
    const byOrigin = compareText(a.origin, b.origin);
    return byOrigin !== 0 ? byOrigin : compareBytes(a.key?.key ?? NO_BYTES, b.key?.key ?? NO_BYTES);
  });
  return list.map((one, i) => parseOne(one, roles, origins, `former[${i}]`));
}

function parseOne(message: FormerMessage, roles: Roles, origins: Origins, field: string): FormerKey {
  const role = checkEnum(ROLE_NAMES, message.role, `${field}.role`);
  if (role === 'root') return malformed(`${field}.role`, 'root keys have no last good state');
  const key = parseKey(message.key, `${field}.key`);
  if ((role === 'approve') !== (key.name !== '')) malformed(`${field}.key.name`, 'is for approve keys');
  const origin = parseOrigin(message.origin);
  const sequencing = origins.get(origin.text)?.sequencingKey;
  if (sequencing !== undefined && equalBytes(sequencing.key, key.key))
    malformed(field, 'is in use for this origin');
  if (role !== 'list' && isCurrent(roles, key)) malformed(field, 'is still in the root');
  if (role === 'list' && isCurrent({ ...roles, list: { threshold: 1, keys: [] } }, key)) {
    malformed(field, 'has another role now');
  }
  const lastGood = parseState(message.lastGoodSize, message.lastGoodRoot, `${field}.last_good`);
  return { origin, key, role, lastGood, revoked: message.revoked };
}

function isCurrent(roles: Roles, key: RootKey): boolean {
  return Object.values(roles).some(({ keys }) => keys.some((one) => equalBytes(one.key, key.key)));
}
