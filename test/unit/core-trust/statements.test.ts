import { describe, expect, it } from 'vitest';
import {
  type CurrencyInput,
  compareStatement,
  type Freshness,
  judgeCurrency,
  newerStatement,
  parseRoot,
  portableSha256,
  settingsOf,
  verifyFreshness,
  verifyLiveness,
} from '../../../sdk/core/index.js';
import { DAY, ORIGIN, T0 } from '../../support/trust/bodies.js';
import { digestOf, suite } from '../../support/trust/keys.js';
import { refusal } from '../../support/trust/refusal.js';
import { readVectors, unhex } from '../../support/trust/vectors.js';

interface Vector {
  readonly why: string;
  readonly envelope: string;
  readonly effective_expiry_ms?: number;
  readonly code?: string;
}
interface File {
  readonly root: string;
  readonly origin: string;
  readonly now_ms: number;
  readonly freshness: { valid: Vector[]; invalid: Vector[] };
  readonly liveness: { valid: Vector[]; invalid: Vector[] };
}
const vectors = readVectors<File>('statements/statements');
const root = parseRoot(portableSha256, unhex(vectors.root));
const freshness = (one: Vector) =>
  verifyFreshness(suite, root, vectors.origin, unhex(one.envelope), vectors.now_ms);
const liveness = (one: Vector) =>
  verifyLiveness(suite, root, vectors.origin, unhex(one.envelope), vectors.now_ms);

describe('freshness', () => {
  it.each(vectors.freshness.valid)('accepts: $why', (one) => {
    expect(freshness(one).effectiveExpiryMs).toBe(one.effective_expiry_ms);
  });

  it.each(vectors.freshness.invalid)('refuses: $why', (one) => {
    expect(refusal(() => freshness(one)).code).toBe(one.code);
  });

  it('is for origins of the root only', () => {
    const run = () =>
      verifyFreshness(suite, root, 'x.example/y/md5/g1', unhex(vectors.freshness.valid[0]!.envelope), T0);
    expect(refusal(run).code).toBe('UNKNOWN_ORIGIN');
  });
});

describe('liveness', () => {
  it.each(vectors.liveness.valid)('accepts: $why', (one) => {
    expect(liveness(one).size).toBe(10);
  });

  it.each(vectors.liveness.invalid)('refuses: $why', (one) => {
    expect(refusal(() => liveness(one)).code).toBe(one.code);
  });
});

const statement: Freshness = freshness(vectors.freshness.valid[0]!);
const alive = liveness(vectors.liveness.valid[0]!);

describe('statements', () => {
  it('stay the newest by their own time', () => {
    const later = { ...statement, issuedAtMs: T0 + 1 };
    expect(newerStatement(undefined, statement)).toBe(statement);
    expect(newerStatement(statement, later)).toBe(later);
    expect(newerStatement(later, statement)).toBe(later);
    expect(newerStatement(statement, { ...statement, size: 99 })).toBe(statement);
    expect(newerStatement(alive, { ...alive, timeMs: T0 - 1 })).toBe(alive);
  });

  it('are held against a checkpoint', () => {
    const state = { size: 10, root: digestOf('tree 10') };
    expect(compareStatement(statement, state, [])).toBe('covers');
    expect(compareStatement(statement, { ...state, size: 9 }, [])).toBe('withheld');
    expect(compareStatement(statement, { ...state, size: 11 }, [])).toBe('behind');
    const run = () => compareStatement(statement, { ...state, root: digestOf('fork') }, [Uint8Array.of(1)]);
    expect(refusal(run).code).toBe('EQUIVOCATION');
  });
});

describe('how current a list is', () => {
  const input: CurrencyInput = {
    nowMs: T0,
    clockTrusted: true,
    rootExpiresMs: T0 + DAY,
    hasLiveKey: true,
    settings: settingsOf(root, ORIGIN),
    held: { size: 10, root: digestOf('tree 10') },
    sealMs: T0 - DAY,
    freshness: statement,
    liveness: alive,
    freshnessHeldMs: 0,
    livenessHeldMs: 0,
  };
  const HOUR = 3_600_000;
  const cases: [string, Partial<CurrencyInput>, string, string[]][] = [
    ['fresh', {}, 'FRESH', []],
    ['15 minutes', { nowMs: T0 + 900_000 }, 'FRESH', []],
    ['just over', { nowMs: T0 + 900_001 }, 'STALE', ['FRESHNESS']],
    ['just before expiry', { nowMs: T0 + HOUR - 1 }, 'STALE', ['FRESHNESS']],
    ['expired', { nowMs: T0 + HOUR }, 'EXPIRED', ['EXPIRED', 'FRESHNESS']],
    ['no statement', { freshness: undefined }, 'STALE', ['FRESHNESS']],
    [
      'a newer checkpoint than it covers',
      { held: { size: 11, root: digestOf('x') } },
      'STALE',
      ['FRESHNESS'],
    ],
    [
      'freshness names more',
      { held: { size: 9, root: digestOf('x') }, liveness: { ...alive, size: 9 } },
      'STALE',
      ['WITHHELD'],
    ],
    ['liveness names more', { liveness: { ...alive, size: 11 } }, 'STALE', ['WITHHELD']],
    ['silent', { liveness: { ...alive, timeMs: T0 - 26 * HOUR - 1 } }, 'STALE', ['SILENCE']],
    ['just not silent', { liveness: { ...alive, timeMs: T0 - 26 * HOUR } }, 'FRESH', []],
    ['never heard', { liveness: undefined }, 'STALE', ['SILENCE']],
    [
      'no live key, old SEAL',
      { hasLiveKey: false, liveness: undefined, sealMs: T0 - 27 * HOUR },
      'STALE',
      ['SILENCE'],
    ],
    ['no live key, new SEAL', { hasLiveKey: false, liveness: undefined }, 'FRESH', []],
    ['very old SEAL', { sealMs: T0 - 35 * DAY - 1 }, 'STALE', ['SEAL_AGE']],
    ['root expired', { rootExpiresMs: T0 }, 'EXPIRED', ['ROOT_EXPIRED']],
    ['SEAL 10 minutes ahead', { sealMs: T0 + 600_000 }, 'FRESH', []],
    ['SEAL further ahead', { sealMs: T0 + 600_001 }, 'STALE', ['CLOCK']],
    ['clock put back a day', { nowMs: T0 - DAY }, 'STALE', ['CLOCK']],
    ['clock not trusted, however late', { clockTrusted: false, nowMs: T0 + 99 * DAY }, 'STALE', ['CLOCK']],
    ['clock stands, monotonic runs', { freshnessHeldMs: 900_001 }, 'STALE', ['FRESHNESS']],
    ['clock stands, expired by monotonic', { freshnessHeldMs: HOUR }, 'EXPIRED', ['EXPIRED', 'FRESHNESS']],
    ['clock stands, silent by monotonic', { livenessHeldMs: 26 * HOUR + 1 }, 'STALE', ['SILENCE']],
  ];
  it.each(cases)('%s', (_why, bend, state, causes) => {
    expect(judgeCurrency({ ...input, ...bend })).toEqual({ state, causes });
  });
});
