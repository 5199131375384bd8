/** Small checks that name the field they refuse. Each returns the checked value or throws `MALFORMED`. */
import { compareBytes } from './bytes.js';
import { malformed } from './errors.js';
import { MAX_U53 } from './limits.js';
import { utf8 } from './utf8.js';

/** A u64 in [min, max]; `max` is below 2^53. */
export function checkU53(value: bigint, field: string, min = 0, max = MAX_U53 - 1): number {
  if (value < BigInt(min) || value > BigInt(max)) malformed(field, `is not in ${min} to ${max}`);
  return Number(value);
}

/** A u32 in [min, max], or `fallback` where it is 0, which protobuf cannot tell from absent. */
export function checkU32(value: number, field: string, min: number, max: number, fallback?: number): number {
  if (value === 0 && fallback !== undefined) return fallback;
  if (!Number.isInteger(value) || value < min || value > max) malformed(field, `is not in ${min} to ${max}`);
  return value;
}

/** Exactly `length` bytes. */
export function checkBytes(value: Uint8Array, field: string, length: number): Uint8Array {
  if (value.length !== length) malformed(field, `needs ${length} bytes`);
  return value;
}

/** Text of `min` to `max` UTF-8 bytes without control characters. */
export function checkText(value: string, field: string, min: number, max: number): string {
  const { length } = utf8(value);
  if (length < min || length > max) malformed(field, `needs ${min} to ${max} bytes`);
  if (/\p{Cc}/u.test(value)) malformed(field, 'holds a control character');
  return value;
}

/** Between `min` and `max` elements. */
export function checkCount(list: readonly unknown[], field: string, min: number, max: number): void {
  if (list.length < min || list.length > max) malformed(field, `needs ${min} to ${max} elements`);
}

/** Strictly ascending, so that there is one order and no duplicate. */
export function checkAscending<T>(list: readonly T[], field: string, compare: (a: T, b: T) => number): void {
  for (let i = 1; i < list.length; i += 1) {
    if (compare(list[i - 1]!, list[i]!) >= 0) malformed(`${field}[${i}]`, 'is not above the one before');
  }
}

export function compareText(a: string, b: string): number {
  return compareBytes(utf8(a), utf8(b));
}

/** The value under `key`, or a refusal: an enum number this version does not know, or 0. */
export function checkEnum<T>(table: Readonly<Record<number, T>>, key: number, field: string): T {
  return Object.hasOwn(table, key) ? table[key]! : malformed(field, 'is unset or unknown');
}

/** `members/{member}`, member `[a-z0-9-]{1,64}`. */
export function checkMemberName(value: string, field: string): string {
  if (!/^members\/[a-z0-9-]{1,64}$/.test(value)) malformed(field, 'is not members/{member}');
  return value;
}
