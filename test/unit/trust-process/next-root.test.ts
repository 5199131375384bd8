import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  loadProposal,
  mergeProposals,
  newProposal,
  nextRootBody,
  proposalCode,
  proposalEnvelope,
  proposalSheet,
  type RootChange,
  type SecretKey,
  saveProposal,
  signedBy,
  signProposal,
} from '../../../client/publisher/index.js';
import { HashfedError, nextRoot, parseRoot, seedSigner, toHex } from '../../../sdk/core/index.js';
import { change, newKey, ORIGINS, suite, versionOne } from './roots.js';

const one = versionOne();
const body = (more: Partial<RootChange>) => nextRootBody(suite.sha256, one.root, change(more));
const parsed = (more: Partial<RootChange>) => parseRoot(suite.sha256, body(more));
const proposal = (more: Partial<RootChange> = {}) => newProposal(suite, one.envelope, body(more));
const signer = ({ seed }: SecretKey) => seedSigner(suite.ed25519, seed);
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'done';
  } catch (error) {
    return error instanceof HashfedError ? error.code : String(error);
  }
};

describe('the next root version', () => {
  test('hands a list over where its sequencing key leaves, and keeps the old key for what it signed', () => {
    const list = newKey('list');
    const next = parsed({ add: [list], remove: [one.list.publicKey] });
    for (const [i, origin] of ORIGINS.entries()) {
      const settings = next.origins.get(origin)!;
      expect(settings.sequencingKey.key).toEqual(list.publicKey);
      expect(settings.handOver?.size).toBe(10 + i);
    }
    expect(
      next.former.map(({ origin, role, lastGood, revoked }) => [origin.text, role, lastGood.size, revoked]),
    ).toEqual([
      [ORIGINS[0], 'list', 10, false],
      [ORIGINS[1], 'list', 11, false],
    ]);
  });

  test('marks a revoked key, also one that left before', () => {
    const approve = newKey('approve', 'p.example/b');
    const gone = { add: [approve], remove: [one.approve.publicKey] };
    expect(parsed({ ...gone, revoked: true }).former.every(({ revoked }) => revoked)).toBe(true);
    const two = parsed(gone);
    const later = change({ remove: [one.approve.publicKey], revoked: true });
    const three = parseRoot(suite.sha256, nextRootBody(suite.sha256, two, later));
    expect(three.former.map(({ revoked }) => revoked)).toEqual([true, true]);
    expect(codeOf(() => nextRootBody(suite.sha256, two, { ...later, revoked: false }))).toBe('USAGE');
  });

  test('ends a generation: the next one succeeds the last good state', () => {
    const next = parsed({ close: [ORIGINS[1]] });
    expect(next.origins.has(ORIGINS[1])).toBe(false);
    const { succeeds, handOver } = next.origins.get('p.example/known/sha256/g2')!;
    expect([succeeds?.origin.text, succeeds?.size, handOver]).toEqual([ORIGINS[1], 11, undefined]);
    expect(next.origins.get(ORIGINS[0])?.succeeds).toBeUndefined();
  });

  test.each<[string, Partial<RootChange>, string]>([
    ['a key the root never named', { remove: [newKey('list').publicKey] }, 'USAGE'],
    ['no sequencing key in its place', { remove: [one.list.publicKey] }, 'USAGE'],
    ['two sequencing keys at once', { add: [newKey('list'), newKey('list')] }, 'USAGE'],
    ['a key that is there already', { add: [one.live] }, 'USAGE'],
    ['no approve key left', { remove: [one.approve.publicKey] }, 'MALFORMED'],
    [
      'fewer root keys than must sign',
      { remove: one.roots.slice(1).map((key) => key.publicKey) },
      'MALFORMED',
    ],
    ['no last good state', { remove: [one.live.publicKey], lastGood: new Map() }, 'USAGE'],
    ['a rule out of bounds', { rules: { min_signers: 3 } }, 'MALFORMED'],
  ])('%s is refused', (_what, more, code) => {
    expect(codeOf(() => body(more))).toBe(code);
  });
});

describe('signatures of a root version', () => {
  const joining = newKey('root');
  const replaced = { add: [joining], remove: [one.roots[0]!.publicKey] };

  /** Old keys 0 and 1 of three count for the old version only where they still stand in it; 0 leaves, `joining` joins. */
  test.each<[string, SecretKey[], boolean]>([
    ['nobody', [], false],
    ['one of the old', [one.roots[1]!], false],
    ['two of the old, one of whom leaves', [one.roots[0]!, one.roots[1]!], false],
    ['two of the new, one of whom is old', [joining, one.roots[1]!], false],
    ['two that stand in both', [one.roots[1]!, one.roots[2]!], true],
    ['two of the old and the one who joins', [one.roots[0]!, one.roots[1]!, joining], true],
  ])('%s', (_who, keys, enough) => {
    const signed = keys.reduce((so_far, key) => signProposal(so_far, signer(key)), proposal(replaced));
    expect(signedBy(signed).complete).toBe(enough);
    if (!enough) return expect(codeOf(() => proposalEnvelope(suite, signed))).toBe('THRESHOLD_NOT_MET');
    expect(nextRoot(suite, one.root, proposalEnvelope(suite, signed)).version).toBe(2);
  });

  test('a key signs once, whichever copies are put together', () => {
    const [a, b] = one.roots.slice(1).map((key) => signProposal(proposal(), signer(key)));
    expect(signedBy(mergeProposals([a!, a!])).old.have).toBe(1);
    expect(signedBy(mergeProposals([a!, b!])).complete).toBe(true);
    expect(codeOf(() => mergeProposals([a!, proposal(replaced)]))).toBe('USAGE');
  });

  test('a stranger cannot sign', () => {
    expect(codeOf(() => signProposal(proposal(), signer(newKey('root'))))).toBe('USAGE');
  });
});

describe('a proposal as a file', () => {
  test('comes back as it was; any changed digit is refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hashfed-proposal-'));
    try {
      const file = join(folder, 'root-2.proposal');
      const signed = signProposal(proposal(), signer(one.roots[1]!));
      await saveProposal(file, signed);
      const loaded = await loadProposal(suite, file);
      expect(proposalCode(loaded)).toBe(proposalCode(signed));
      const text = await readFile(file, 'utf8');
      for (const part of [
        toHex(one.envelope),
        toHex(signed.next.body),
        toHex(signed.signatures[0]!.signature),
      ]) {
        const at = text.indexOf(part) + part.length / 2;
        const digit = text[at] === '0' ? '1' : '0';
        await writeFile(file, text.slice(0, at) + digit + text.slice(at + 1));
        await expect(loadProposal(suite, file)).rejects.toBeInstanceOf(HashfedError);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('shows every difference to who signs', () => {
    const list = newKey('list');
    const sheet = proposalSheet(
      proposal({
        add: [list],
        remove: [one.list.publicKey],
        revoked: true,
        rules: { erase_after_s: 86_400 },
      }),
    ).join('\n');
    for (const said of [
      `key leaves: list ${toHex(one.list.publicKey)}`,
      `key joins:  list ${toHex(list.publicKey)}`,
      `revoked: list ${toHex(one.list.publicKey)}`,
      `handed over: ${ORIGINS[1]} at size 11`,
      'erased after, ms 86400000',
    ])
      expect(sheet).toContain(said);
  });
});
