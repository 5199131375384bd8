/** Vectors of freshness and liveness statements under version 1 of the test root, judged at `now_ms`. */
import { portableSha256 } from '../../../sdk/core/index.js';
import {
  encodeFreshness,
  encodeLiveness,
  encodeRoot,
  FRESHNESS_KEY,
  freshnessMessage,
  LIVE_KEY,
  livenessMessage,
  ORIGIN,
  rootMessage,
  signBody,
  T0,
} from './bodies.js';
import { digestOf, type TestKey } from './keys.js';
import { hex } from './vectors.js';

const HOUR = 3_600_000;

export function makeStatements(): unknown {
  const body = encodeRoot(rootMessage());
  const rootSha = portableSha256.digest(body);
  const fresh = (bend: Parameters<typeof freshnessMessage>[1] = {}, key: TestKey = FRESHNESS_KEY) =>
    hex(signBody('freshness', encodeFreshness(freshnessMessage(rootSha, bend)), key));
  const live = (bend: Parameters<typeof livenessMessage>[0] = {}, key: TestKey = LIVE_KEY) =>
    hex(signBody('liveness', encodeLiveness(livenessMessage(bend)), key));
  const asLive = hex(signBody('liveness', encodeFreshness(freshnessMessage(rootSha)), FRESHNESS_KEY));
  return {
    root: hex(body),
    origin: ORIGIN,
    now_ms: T0,
    freshness: {
      valid: [
        { why: 'ends by not_after', envelope: fresh(), effective_expiry_ms: T0 + HOUR },
        {
          why: 'ends by freshness_max',
          envelope: fresh({ notAfterMs: BigInt(T0 + 99 * HOUR) }),
          effective_expiry_ms: T0 + 6 * HOUR,
        },
        {
          why: 'ten minutes ahead',
          envelope: fresh({ issuedAtMs: BigInt(T0 + 600_000) }),
          effective_expiry_ms: T0 + HOUR,
        },
        {
          why: 'knows a newer root',
          envelope: fresh({ rootVersion: 2n, rootSha256: digestOf('x') }),
          effective_expiry_ms: T0 + HOUR,
        },
      ],
      invalid: [
        { why: 'signed by the live key', envelope: fresh({}, LIVE_KEY), code: 'THRESHOLD_NOT_MET' },
        {
          why: 'over ten minutes ahead',
          envelope: fresh({ issuedAtMs: BigInt(T0 + 600_001) }),
          code: 'FUTURE',
        },
        {
          why: 'dated 2099',
          envelope: fresh({ issuedAtMs: 4_070_908_800_000n, notAfterMs: 4_070_908_800_001n }),
          code: 'FUTURE',
        },
        {
          why: 'another root of this version',
          envelope: fresh({ rootSha256: digestOf('x') }),
          code: 'EQUIVOCATION',
        },
        { why: 'another origin', envelope: fresh({ origin: ORIGIN.replace('g1', 'g2') }), code: 'MALFORMED' },
        { why: 'ends before it begins', envelope: fresh({ notAfterMs: BigInt(T0) }), code: 'MALFORMED' },
        { why: 'size 0', envelope: fresh({ size: 0n }), code: 'MALFORMED' },
        { why: 'size 2^53', envelope: fresh({ size: 2n ** 53n }), code: 'MALFORMED' },
        { why: 'a short root', envelope: fresh({ root: new Uint8Array(31) }), code: 'MALFORMED' },
        { why: 'signed as liveness', envelope: asLive, code: 'MALFORMED' },
      ],
    },
    liveness: {
      valid: [
        { why: 'now', envelope: live() },
        { why: 'a year old', envelope: live({ timeMs: BigInt(T0 - 365 * 24 * HOUR) }) },
      ],
      invalid: [
        { why: 'signed by the freshness key', envelope: live({}, FRESHNESS_KEY), code: 'THRESHOLD_NOT_MET' },
        { why: 'over ten minutes ahead', envelope: live({ timeMs: BigInt(T0 + 600_001) }), code: 'FUTURE' },
        { why: 'another origin', envelope: live({ origin: 'x' }), code: 'MALFORMED' },
        { why: 'without a time', envelope: live({ timeMs: 0n }), code: 'MALFORMED' },
        { why: 'freshness bytes', envelope: asLive, code: 'THRESHOLD_NOT_MET' },
      ],
    },
  };
}
