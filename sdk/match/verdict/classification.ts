/** Buckets that telemetry counts in (docs/spec/formats.md, Classification). The strongest is the highest number. */
export const BUCKET = {
  NONE: 1,
  TEST: 2,
  KNOWN_GOOD: 3,
  OTHER: 4,
  SUSPECTED: 5,
  NATIONAL: 6,
  BASELINE: 7,
} as const;

const { SUSPECTED, NATIONAL, BASELINE, OTHER, KNOWN_GOOD, TEST } = BUCKET;

/** Bucket of code 1, 2, 3 … of each scheme that a list of purpose `listed` may use. */
const LISTED: ReadonlyMap<number, readonly number[]> = new Map([
  [1, [BASELINE, NATIONAL, SUSPECTED]],
  [2, [NATIONAL, NATIONAL, NATIONAL, SUSPECTED]],
  [3, [BASELINE, BASELINE, NATIONAL, NATIONAL]],
  [4, [BASELINE, NATIONAL, NATIONAL]],
  [5, [NATIONAL, NATIONAL, NATIONAL]],
]);
const SCHEME_KNOWN_GOOD = 254;
const SCHEME_TEST = 255;

/** The bucket of a record; OTHER for a scheme or code that this version does not know. */
export function bucketOf(scheme: number, code: number): number {
  if (scheme === SCHEME_KNOWN_GOOD) return KNOWN_GOOD;
  if (scheme === SCHEME_TEST) return TEST;
  return LISTED.get(scheme)?.[code - 1] ?? OTHER;
}

/** A classification that may lead to `block`: known, and meant for lists of purpose `listed`. */
export function isListedClass(scheme: number, code: number): boolean {
  return LISTED.get(scheme)?.[code - 1] !== undefined;
}

/** The strongest bucket among matches; NONE without any. */
export function strongestBucket(matches: readonly { classification: { bucket: number } }[]): number {
  return matches.reduce<number>(
    (max, { classification }) => Math.max(max, classification.bucket),
    BUCKET.NONE,
  );
}
