import { describe, expect, it } from 'vitest';
import {
  type CheckpointPolicy,
  checkSwap,
  checkTail,
  chooseAnchor,
  compareHeads,
  type FormerNoteKey,
  keysFor,
  limitFor,
  type Moment,
  parseRoot,
  portableSha256,
  prefixByProofs,
  type TailCounts,
  verifyAnchor,
  verifyCheckpoint,
} from '../../../sdk/core/index.js';
import {
  APPROVE_KEY,
  APPROVER,
  encodeRoot,
  FRESHNESS_KEY,
  LIST_KEY,
  ORIGIN,
  rootMessage,
  T0,
} from '../../support/trust/bodies.js';
import { suite, testKey } from '../../support/trust/keys.js';
import { cosigner, sequencer, TestLog } from '../../support/trust/log.js';
import { refusal } from '../../support/trust/refusal.js';

const root = parseRoot(portableSha256, encodeRoot(rootMessage()));
const keys = keysFor(root, ORIGIN);
const now = T0 / 1000;
const list = sequencer(LIST_KEY);
const approve = cosigner(APPROVE_KEY, APPROVER, now);
const w1 = cosigner(testKey('witness 1'), 'witness-1.example', now);
const w2 = cosigner(testKey('witness 2'), 'witness-2.example', now);
const w2b = cosigner(testKey('witness 2 mirror'), 'witness-2.example', now);
const log = new TestLog(40);
const moment: Moment = { nowMs: T0 };
const nobody: CheckpointPolicy = { keys, cosigners: { keys: [], needed: 0 } };
const witnessed = (needed: number, ...of: (typeof w1)[]): CheckpointPolicy => ({
  keys,
  cosigners: { keys: of.map(({ key }) => key), needed },
});
const verify = (policy: CheckpointPolicy, signers: (typeof w1)[], at = moment, size = 20) =>
  verifyCheckpoint(suite, policy, log.note(size, signers), at);
const code = (...args: Parameters<typeof verify>) => refusal(() => verify(...args)).code;

describe('which notes count', () => {
  it('one key, two keys', () => {
    expect(verify(nobody, [list])).toMatchObject({ origin: ORIGIN, size: 20, twoKey: false, cosigners: [] });
    expect(verify(nobody, [list, approve]).twoKey).toBe(true);
  });

  it('none without the sequencing key', () => {
    expect(code(nobody, [approve])).toBe('BAD_SIGNATURE');
    expect(code(nobody, [sequencer(APPROVE_KEY)])).toBe('BAD_SIGNATURE');
    expect(code(nobody, [sequencer(testKey('stranger'))])).toBe('BAD_SIGNATURE');
    expect(code(nobody, [cosigner(LIST_KEY, ORIGIN, now)])).toBe('BAD_SIGNATURE');
  });

  it('not as two-key by other roles, other names or the sequencing key itself', () => {
    expect(verify(nobody, [list, cosigner(LIST_KEY, APPROVER, now)]).twoKey).toBe(false);
    expect(verify(nobody, [list, cosigner(FRESHNESS_KEY, APPROVER, now)]).twoKey).toBe(false);
    expect(verify(nobody, [list, cosigner(APPROVE_KEY, 'other.example', now)]).twoKey).toBe(false);
    expect(verify(nobody, [list, sequencer(APPROVE_KEY, APPROVER)]).twoKey).toBe(false);
  });

  it('not of another origin, though the key signed it', () => {
    const other = ORIGIN.replace('sha256', 'md5');
    const bytes = log.note(20, [list], other);
    expect(refusal(() => verifyCheckpoint(suite, nobody, bytes, moment)).code).toBe('BAD_SIGNATURE');
  });

  it('an approval up to 10 minutes ahead; beyond, it does not count and rejects nothing', () => {
    expect(verify(nobody, [list, { ...approve, timeS: now + 600 }]).twoKey).toBe(true);
    expect(verify(nobody, [list, { ...approve, timeS: now + 601 }]).twoKey).toBe(false);
    expect(verify(nobody, [list, { ...approve, timeS: now + 601 }, approve]).twoKey).toBe(true);
  });

  it('k of n cosigners by distinct names', () => {
    expect(code(witnessed(1, w1), [list])).toBe('THRESHOLD_NOT_MET');
    expect(verify(witnessed(1, w1, w2), [list, w2]).cosigners).toEqual(['witness-2.example']);
    expect(code(witnessed(2, w1, w2), [list, w2, w2])).toBe('THRESHOLD_NOT_MET');
    expect(code(witnessed(2, w1, w2, w2b), [list, w2, w2b])).toBe('THRESHOLD_NOT_MET');
    expect(code(witnessed(2, w1, w2), [list, w1, { ...w2, timeS: now + 601 }])).toBe('THRESHOLD_NOT_MET');
    expect(verify(witnessed(2, w1, w2), [list, w1, w2]).cosigners).toHaveLength(2);
  });

  it('no key set in which one key has two names or two jobs', () => {
    const alias = cosigner(testKey('witness 1'), 'alias.example', now);
    expect(code(witnessed(2, w1, alias), [list, w1, alias])).toBe('MALFORMED');
    expect(code(witnessed(1, approve), [list, approve])).toBe('MALFORMED');
    const freshness = cosigner(FRESHNESS_KEY, 'operator.example', now);
    expect(code(witnessed(1, freshness), [list, freshness])).toBe('MALFORMED');
    const plain = { key: { ...w1.key, algorithm: 1 as const }, seed: w1.seed, timeS: now };
    expect(code(witnessed(1, plain), [list, plain])).toBe('MALFORMED');
  });
});

describe('former keys', () => {
  const old = sequencer(testKey('old list'));
  const oldApprove = cosigner(testKey('old approve'), 'old.police.example', now);
  const lastGood = log.at(20);
  const former: FormerNoteKey[] = [
    { key: old.key, role: 'list', lastGood },
    { key: oldApprove.key, role: 'approve', lastGood },
  ];
  const policy: CheckpointPolicy = { ...nobody, keys: { ...keys, former } };
  const proven: Moment = {
    nowMs: T0,
    isPrefix: prefixByProofs(suite.sha256, [{ from: log.at(12), to: lastGood, hashes: log.prove(12, 20) }]),
  };

  it('count on the last good state and proven prefixes of it', () => {
    expect(verify(policy, [old, oldApprove]).twoKey).toBe(true);
    expect(verify(policy, [old], proven, 12).size).toBe(12);
    expect(verify(policy, [list, oldApprove], proven, 12).twoKey).toBe(true);
  });

  it('count for nothing beyond it, beside it, or unproven', () => {
    expect(code(policy, [old], proven, 21)).toBe('KEY_REVOKED');
    expect(code(policy, [old], proven, 11)).toBe('KEY_REVOKED');
    expect(code(policy, [old], moment, 12)).toBe('KEY_REVOKED');
    expect(verify(policy, [list, oldApprove], proven, 21).twoKey).toBe(false);
    const fork = new TestLog(20, 1).note(20, [old]);
    expect(refusal(() => verifyCheckpoint(suite, policy, fork, proven)).code).toBe('KEY_REVOKED');
    const branch = new TestLog(12, 1).note(12, [old]);
    expect(refusal(() => verifyCheckpoint(suite, policy, branch, proven)).code).toBe('KEY_REVOKED');
  });

  it('count for nothing beyond it, whatever a caller claims to have proven', () => {
    expect(code(policy, [old], { nowMs: T0, isPrefix: () => true }, 21)).toBe('KEY_REVOKED');
  });

  it('count in their own role only', () => {
    expect(verify(policy, [list, old]).twoKey).toBe(false);
    expect(code(policy, [oldApprove])).toBe('BAD_SIGNATURE');
  });

  it('count for nothing without an entry', () => {
    expect(code(nobody, [old])).toBe('BAD_SIGNATURE');
  });

  it('are not proven by a proof that does not hold', () => {
    const wrong = prefixByProofs(suite.sha256, [
      { from: log.at(12), to: lastGood, hashes: log.prove(11, 20) },
    ]);
    expect(code(policy, [old], { nowMs: T0, isPrefix: wrong }, 12)).toBe('KEY_REVOKED');
  });
});

describe('anchors', () => {
  const target = log.at(30);
  const anchor = (note: Uint8Array, proof: Uint8Array[]) =>
    verifyAnchor(suite, witnessed(1, w1), target, { note, proof }, moment);
  const both = [list, approve];

  it('are two-key, not larger, and proven prefixes; cosigners are not asked of them', () => {
    expect(anchor(log.note(20, both), log.prove(20, 30)).size).toBe(20);
    expect(anchor(log.note(30, both), []).size).toBe(30);
  });

  it('are refused otherwise', () => {
    const refused = (note: Uint8Array, proof: Uint8Array[]) => refusal(() => anchor(note, proof)).code;
    expect(refused(log.note(20, [list]), log.prove(20, 30))).toBe('THRESHOLD_NOT_MET');
    expect(refused(log.note(31, both), [])).toBe('MALFORMED');
    expect(refused(log.note(20, both), log.prove(19, 30))).not.toBe('accepted');
    expect(refused(new TestLog(20, 1).note(20, both), log.prove(20, 30))).toBe('ROOT_MISMATCH');
    expect(refused(new TestLog(30, 1).note(30, both), [])).toBe('EQUIVOCATION');
  });

  it('the largest that fits is taken', () => {
    const notes = [10, 20, 31].map((size) => verify(nobody, both, moment, size));
    const oneKey = verify(nobody, [list], moment, 25);
    expect(chooseAnchor([...notes, oneKey], 30)?.size).toBe(20);
    expect(chooseAnchor(notes, 9)).toBeUndefined();
  });
});

describe('the limit for one key', () => {
  const settings = root.origins.get(ORIGIN)!;
  const none: TailCounts = {
    anchorSize: 1,
    anchorSetCount: 1000,
    added: 0,
    readded: 0,
    amended: 0,
    withdrawnOld: 0,
    heldOld: 0,
    heldTwice: false,
  };
  const tail = (bend: Partial<TailCounts>, of = settings) =>
    refusal(() => checkTail(of, { ...none, ...bend })).code;

  it.each([
    [0, 20],
    [199, 20],
    [200, 20],
    [210, 21],
    [10_000, 1000],
    [99_999, 1000],
    [100_100, 1001],
    [1_000_000, 10_000],
  ])('of %i records is %i', (count, limit) => {
    expect(limitFor(settings, count)).toBe(limit);
  });

  it('counts additions and withdrawals apart, amendments in both', () => {
    expect(tail({ added: 100, withdrawnOld: 100 })).toBe('accepted');
    expect(tail({ added: 101 })).toBe('THRESHOLD_NOT_MET');
    expect(tail({ withdrawnOld: 101 })).toBe('THRESHOLD_NOT_MET');
    expect(tail({ amended: 100 })).toBe('accepted');
    expect(tail({ added: 60, amended: 41 })).toBe('THRESHOLD_NOT_MET');
    expect(tail({ withdrawnOld: 60, amended: 41 })).toBe('THRESHOLD_NOT_MET');
  });

  it('knows the other causes', () => {
    expect(tail({ heldOld: 1000 })).toBe('accepted');
    expect(tail({ heldOld: 1001 })).toBe('THRESHOLD_NOT_MET');
    expect(tail({ heldTwice: true })).toBe('THRESHOLD_NOT_MET');
    expect(tail({ readded: 1 })).toBe('THRESHOLD_NOT_MET');
    expect(tail({ anchorSize: 0, anchorSetCount: 0 })).toBe('THRESHOLD_NOT_MET');
  });

  it('can be lowered by the root, never raised', () => {
    expect(tail({ added: 6 }, { ...settings, oneKeyLimit: 5 })).toBe('THRESHOLD_NOT_MET');
    expect(tail({ added: 5 }, { ...settings, oneKeyLimit: 5 })).toBe('accepted');
    expect(limitFor({ ...settings, oneKeyLimit: 1_000_000 }, 1000)).toBe(100);
    expect(tail({ added: 1 }, { ...settings, minSigners: 2 })).toBe('THRESHOLD_NOT_MET');
    expect(tail({ heldOld: 7 }, { ...settings, minSigners: 2 })).toBe('accepted');
  });

  it('holds for generation swaps', () => {
    expect(refusal(() => checkSwap(settings, 1000, 100, false)).code).toBe('accepted');
    expect(refusal(() => checkSwap(settings, 1000, 101, false)).code).toBe('THRESHOLD_NOT_MET');
    expect(refusal(() => checkSwap(settings, 1000, 101, true)).code).toBe('accepted');
  });
});

describe('a newer checkpoint beside the one held', () => {
  const held = verify(nobody, [list]);
  it('is the same, newer, a rollback or an equivocation', () => {
    expect(compareHeads(held, verify(nobody, [list, approve]))).toBe('same');
    expect(compareHeads(held, verify(nobody, [list], moment, 21))).toBe('newer');
    expect(refusal(() => compareHeads(held, verify(nobody, [list], moment, 19))).code).toBe('ROLLBACK');
    const fork = verifyCheckpoint(suite, nobody, new TestLog(20, 1).note(20, [list]), moment);
    expect(refusal(() => compareHeads(held, fork)).code).toBe('EQUIVOCATION');
  });
});
