import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ownHeadsFile } from '../../client/publisher/liveness/index.js';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';
import { publishSample } from '../support/publish-sample.js';

const ORIGIN = 'police.example/known/sha256/g1';

vi.setConfig({ testTimeout: 120_000 });

let federation: ProcessFederation;
beforeAll(async () => {
  federation = await startFederation();
});
afterAll(() => federation.stop());

interface OwnHeads {
  lists: { origin: string; size: number; root: string }[];
}

describe('liveness', () => {
  test('a publication is said to live, and watch-own says it again', async () => {
    const published = await publishSample(federation, 'police', 5);
    expect(published).toMatchObject({ committed: true, live: true });
    const { code, stdout } = await federation.run('police', 'watch-own', '--once', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ signed: true, alarm: false, lists: [{ verdict: 'same' }] });
    expect(code).toBe(0);
  });

  test.each([
    { what: 'an older state', verdict: 'ROLLBACK', bend: { size: 1000 } },
    { what: 'another root of our size', verdict: 'EQUIVOCATION', bend: { root: 'ab'.repeat(32) } },
    { what: 'more than we handed in', verdict: 'SIGNER_BEHIND', bend: { size: 2 } },
  ])('$what raises the alarm $verdict and ends with 4', async ({ verdict, bend }) => {
    const file = ownHeadsFile(join(federation.member('police'), 'records'));
    const before = await readFile(file, 'utf8');
    const heads = JSON.parse(before) as OwnHeads;
    heads.lists = heads.lists.map((one) => (one.origin === ORIGIN ? { ...one, ...bend } : one));
    await writeFile(file, JSON.stringify(heads));
    const { code, stdout } = await federation.run('police', 'watch-own', '--once', '--json');
    await writeFile(file, before);
    expect(code).toBe(4);
    const answer = JSON.parse(stdout) as { alarm: boolean; evidence: string; lists: object[] };
    expect(answer).toMatchObject({ alarm: true });
    expect(answer.lists).toContainEqual(expect.objectContaining({ origin: ORIGIN, verdict }));
    const kept = await readFile(join(answer.evidence, `${ORIGIN.replaceAll('/', '_')}.note`), 'utf8');
    expect(kept.startsWith(`${ORIGIN}\n`)).toBe(true);
  });
});
