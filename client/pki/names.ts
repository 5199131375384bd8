import { HashfedError } from '../../sdk/core/index.js';

/** A federation's name: the SPIFFE trust domain (SPIFFE-ID §2.1), at most 253 characters. */
const FEDERATION = /^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/;
/** A member's name, the last part of `members/{member}`, at most 64 characters. */
const MEMBER = /^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/;

/** The URI that names a member in its certificate. Throws USAGE. */
export function spiffeId(federation: string, member: string): string {
  if (!FEDERATION.test(federation)) {
    throw new HashfedError(
      'USAGE',
      'federation: must be lower-case letters, digits, dots, hyphens or underscores',
      {
        field: 'federation',
      },
    );
  }
  if (!MEMBER.test(member)) {
    throw new HashfedError('USAGE', 'member: must be lower-case letters, digits and hyphens, at most 64', {
      field: 'member',
    });
  }
  return `spiffe://${federation}/members/${member}`;
}

/** Who a member certificate is for. */
export interface MemberName {
  readonly federation: string;
  readonly member: string;
}
