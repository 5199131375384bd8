import type { PublicKey } from '../../proto/gen/hashfed/v1/common.js';
import { SignatureAlgorithm } from '../../proto/gen/hashfed/v1/enums.js';
import { RootRole } from '../../proto/gen/hashfed/v1/root.js';
import { checkText } from './check.js';
import { malformed } from './errors.js';
import { MAX_FOREIGN_KEY_BYTES } from './limits-trust.js';
import { isKeyName } from './note.js';
import type { RootKey, RootRoleName } from './root.js';
import { isStrictPublicKey } from './signature.js';

/** Roles by their number; a number outside is refused. */
export const ROLE_NAMES: Readonly<Record<number, RootRoleName>> = {
  [RootRole.ROOT]: 'root',
  [RootRole.LIST]: 'list',
  [RootRole.APPROVE]: 'approve',
  [RootRole.LIVE]: 'live',
  [RootRole.FRESHNESS]: 'freshness',
};

/**
 * A key of a signed body. Ed25519 keys follow the strict profile. A key of an algorithm this version does not
 * know is carried along and never counts, so that a new algorithm can join beside the old one.
 */
export function parseKey(key: PublicKey | undefined, field: string): RootKey {
  if (key === undefined) return malformed(field, 'is required');
  const ed25519 = key.algorithm === SignatureAlgorithm.ED25519;
  if ((key.algorithm as number) === 0) malformed(`${field}.algorithm`, 'is required');
  if (ed25519 && !isStrictPublicKey(key.key)) malformed(`${field}.key`, 'is no strong canonical Ed25519 key');
  if (key.key.length === 0 || key.key.length > MAX_FOREIGN_KEY_BYTES)
    malformed(`${field}.key`, 'has a bad length');
  checkText(key.name, `${field}.name`, 0, 128);
  if (key.name !== '' && !isKeyName(key.name)) malformed(`${field}.name`, 'holds white space or a plus sign');
  return { key: key.key, name: key.name, ed25519 };
}
