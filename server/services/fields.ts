import { MAX_U53, malformed } from '../../sdk/core/index.js';

/** A size, index or version from the network as a number. Throws MALFORMED naming the field. */
export function readSize(value: bigint, field: string): number {
  if (value >= BigInt(MAX_U53)) malformed(field, 'is not below 2^53');
  return Number(value);
}
