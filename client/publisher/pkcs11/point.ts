import { HashfedError } from '../../../sdk/core/index.js';

const POINT_BYTES = 32;
/** `edwards25519` as a DER PrintableString: the name of the curve (PKCS#11 3.1, 6.3.15). */
export const EDWARDS25519 = Buffer.concat([Buffer.from([0x13, 12]), Buffer.from('edwards25519')]);

/**
 * The raw public key of CKA_EC_POINT. Tokens write it as it is, as a DER OCTET STRING (PKCS#11 3.0) or as a BIT STRING
 * (drafts of it). Throws USAGE for anything else.
 */
export function pointOf(value: Uint8Array): Uint8Array {
  const octets = value.length === POINT_BYTES + 2 && value[0] === 4 && value[1] === POINT_BYTES;
  const bits =
    value.length === POINT_BYTES + 3 && value[0] === 3 && value[1] === POINT_BYTES + 1 && value[2] === 0;
  if (value.length === POINT_BYTES || octets || bits) return new Uint8Array(value.subarray(-POINT_BYTES));
  throw new HashfedError('USAGE', 'the token shows a public key that is no Ed25519 point', {
    field: 'pkcs11',
  });
}
