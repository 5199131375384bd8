import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  auditLog,
  checkBundle,
  concat,
  decodeLeaf,
  decodeStateHead,
  encodeBundle,
  encodeLeaf,
  encodeStateHead,
  HashfedError,
  type Leaf,
  ListState,
  parseOrigin,
  toHex,
} from '../../../sdk/core/index.js';
import { LogBuilder } from '../../support/log-builder.js';
import { naiveDigest, naiveReplay, naiveRows } from '../../support/naive-log.js';
import { testSha256 } from '../../support/sha256.js';

const ORIGIN = 'police.example/csam/sha256/g1';
const u8 = fc.integer({ min: 1, max: 255 });
const u53 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const meta = fc.constantFrom(
  new Uint8Array(0),
  Uint8Array.of(1, 1, 65),
  Uint8Array.of(3, 1, 88, 5, 2, 104, 105),
);

const anyLeaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    timeMs: u53,
    readd: fc.boolean(),
    hashType: fc.constant(3),
    scheme: u8,
    code: u8,
    verifications: u8,
    itemId: bytes(16),
    blind: bytes(16),
    hash: bytes(32),
    meta,
  }),
  fc.record({ kind: fc.constant('withdraw' as const), timeMs: u53, targetIndex: u53, reason: u8, meta }),
  fc.record({
    kind: fc.constant('amend' as const),
    timeMs: u53,
    targetIndex: u53,
    reason: u8,
    scheme: u8,
    code: u8,
    verifications: u8,
    meta,
  }),
  fc.record({
    kind: fc.constant('seal' as const),
    timeMs: u53,
    batchNo: u53,
    publishId: bytes(16),
    prevSealIndex: fc.oneof(fc.constant(-1), u53),
    setCount: u53,
    digestAlg: u8,
    bucketBits: u8,
    setDigest: bytes(32),
  }),
  fc.record({ kind: fc.constant('commit' as const), timeMs: u53, what: u8, commitment: bytes(32) }),
);

type Step = readonly [op: number, pick: number];
const steps = fc.array(fc.tuple(fc.nat(11), fc.nat(1_000)), { minLength: 1, maxLength: 60 });

/** A log of valid and anomalous leaves with right SEALs, ending in one. */
function logOf(plan: readonly Step[], bits = 4): LogBuilder {
  const log = new LogBuilder(ORIGIN, bits);
  const label = Uint8Array.of(5, 3, 97, 98, 99);
  for (const [op, pick] of plan) {
    const target = log.size === 0 ? 0 : pick % log.size;
    if (op < 5) log.add(`n${pick % 40}`, op === 0 ? { meta: label } : {});
    else if (op < 7) log.withdraw(target);
    else if (op < 9) log.amend(target, pick % 256, op === 7 ? label : new Uint8Array(0));
    else if (op === 9 && log.size > 1) log.hold(target, log.size, 1 + (pick % 72));
    else if (op === 10) log.raw(Uint8Array.of(1, 1, 0, pick % 256));
    else log.seal();
  }
  log.seal();
  return log;
}

function replayed(
  log: LogBuilder,
  cuts: readonly number[],
  erased: ReadonlySet<number> = new Set(),
  compacting = false,
): ListState {
  const state = ListState.empty(log.origin, testSha256);
  for (const to of [...cuts, log.size]) {
    if (to <= state.size) continue;
    const staging = state.stage();
    for (let at = state.size; at < to; at += 7)
      staging.append(log.bundle(at, Math.min(at + 7, to), erased), at);
    staging.finish();
    staging.commit();
    if (compacting) state.compact();
  }
  return state;
}

const fingerprint = (state: ListState) => ({
  head: toHex(encodeStateHead(state.head)),
  digest: toHex(state.setDigest()),
  rows: [...state.records()].map((r) => r.addIndex),
});

describe('leaves', () => {
  it('come back from their bytes', () => {
    fc.assert(
      fc.property(anyLeaf, (leaf) => {
        expect(decodeLeaf(encodeLeaf(leaf))).toEqual(leaf);
      }),
    );
  });

  it('throw nothing but HashfedError, whatever the bytes', () => {
    const start = fc.tuple(
      fc.constantFrom(0, 1, 2),
      fc.constantFrom(1, 2, 3, 4, 5, 6, 16),
      fc.constantFrom(0, 1, 2),
    );
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 1_100 }),
      fc
        .tuple(start, fc.uint8Array({ maxLength: 200 }))
        .map(([head, tail]) => Uint8Array.of(...head, ...tail)),
    );
    fc.assert(
      fc.property(hostile, (input) => {
        try {
          expect(encodeLeaf(decodeLeaf(input))).toEqual(input);
        } catch (error) {
          // A SEAL may hold numbers that no other leaf may; it decodes and does not encode.
          expect(error).toBeInstanceOf(HashfedError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('replaying', () => {
  it('is total: any bytes as a log give an audit', () => {
    const entries = fc.array(fc.uint8Array({ minLength: 1, maxLength: 120 }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, entries, (plan, junk) => {
        const bundle = concat(logOf(plan).bundle(), encodeBundle(junk), logOf(plan).bundle());
        const audit = auditLog(parseOrigin(ORIGIN), testSha256, [bundle]);
        expect(audit.size).toBe(checkBundle(bundle, 10_000));
      }),
      { numRuns: 40 },
    );
  });

  it('agrees with a naive replay and the digest by definition', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(0, 1, 5, 9), (plan, bits) => {
        const log = logOf(plan, bits);
        const state = replayed(log, []);
        const naive = naiveReplay(log.origin, log.leaves, 3);
        expect([...state.records()]).toHaveLength(naive.length);
        const rows = Array.from({ length: 2 ** bits }, (_, b) => state.bytesOfBucket(b));
        expect(toHex(concat(...rows))).toBe(toHex(concat(...naiveRows(naive))));
        expect(toHex(state.setDigest())).toBe(naiveDigest(bits, naive, state.holds));
        expect(toHex(state.recomputeDigest())).toBe(toHex(state.head.seal!.setDigest));
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same state however the log is split', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(100)), (plan, picks) => {
        const log = logOf(plan);
        const whole = replayed(log, []);
        const seals = auditLog(log.origin, testSha256, [log.bundle()]).seals.map((s) => s.index + 1);
        const cuts = seals.filter((_, i) => picks.includes(i));
        expect(fingerprint(replayed(log, cuts))).toEqual(fingerprint(whole));
        const compacted = replayed(log, cuts, new Set(), true);
        expect(toHex(compacted.recomputeDigest())).toBe(toHex(whole.setDigest()));
        expect(fingerprint(compacted)).toEqual(fingerprint(whole));
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same set, whatever withdrawn entries are erased', () => {
    fc.assert(
      fc.property(steps, fc.nat(3), (plan, every) => {
        const log = logOf(plan);
        const live = new Set(naiveReplay(log.origin, log.leaves, 3).map((r) => r.addIndex));
        const gone = log.leaves.flatMap((leaf, i) =>
          leaf[1] === 1 && leaf.length > 60 && !live.has(i) ? [i] : [],
        );
        const erased = new Set(gone.filter((_, i) => i % (every + 1) === 0));
        const seen = replayed(log, [], erased);
        expect(fingerprint(seen)).toEqual(fingerprint(replayed(log, [])));
        expect(seen.countsSince(0)).toEqual(replayed(log, []).countsSince(0));
      }),
      { numRuns: 60 },
    );
  });

  it('continues from a head and records as from the log', () => {
    fc.assert(
      fc.property(steps, steps, (first, second) => {
        const log = logOf([...first, [11, 0], ...second]);
        const seals = auditLog(log.origin, testSha256, [log.bundle()]).seals;
        const cut = seals[0]!.index + 1;
        const staged = ListState.empty(log.origin, testSha256);
        const staging = staged.stage();
        staging.append(log.bundle(0, cut), 0);
        staging.finish();
        staging.commit();
        const parts = Array.from({ length: 16 }, (_, b) => staged.bytesOfBucket(b));
        const head = decodeStateHead(encodeStateHead(staged.head));
        const copy = ListState.fromRecords(log.origin, testSha256, head, parts);
        if (cut < log.size) {
          const rest = copy.stage();
          rest.append(log.bundle(cut), cut);
          rest.finish();
          rest.commit();
        }
        expect(fingerprint(copy)).toEqual(fingerprint(replayed(log, [])));
      }),
      { numRuns: 40 },
    );
  });
});
