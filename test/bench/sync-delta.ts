import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Hashfed, open } from '../../sdk/index.js';
import { bulkAdds } from '../support/server/bulk.js';
import { TestPublisher } from '../support/server/publisher.js';
import { median, result, time } from './measure.js';
import { options } from './options.js';
import { BenchFederation } from './publish-federation.js';
import type { BenchLine } from './types.js';

const DEFAULT_SIZES = [1_000_000];
/** One key's limit for a million records is 10,000. */
const DELTA = 9_000;
/** Entries that the server takes in one batch here, within a call's time. */
const FIRST_BATCHES = 1_000_000;
const ORIGIN = 'police.example/known/sha256/g1';

interface World {
  readonly federation: BenchFederation;
  readonly police: TestPublisher;
  readonly hoster: Hashfed;
}

async function fill(police: TestPublisher, n: number): Promise<void> {
  for (let left = n; left > 0; left -= FIRST_BATCHES) {
    const count = Math.min(left, FIRST_BATCHES);
    const draft = police.draftPacked(bulkAdds(count, Date.now()), count);
    const { name } = await police.prepare(draft);
    await police.commit(name, draft, 'two');
    draft.settle();
  }
}

/**
 * Milliseconds from the commit's receipt at the publisher to the first verdict of a hoster that watches: a server of
 * its own, mutual TLS, everything verified and durable. Less than nothing counts as nothing.
 */
async function oneDelta({ police, hoster }: World, keys: 'one' | 'two'): Promise<number> {
  const leaves = police.adds(DELTA);
  const [first] = leaves;
  const draft = police.draft(leaves);
  const { name } = await police.prepare(draft);
  const verdictAt = once(hoster, 'synced').then(async () => {
    const matches = first?.kind === 'add' ? (await hoster.checkHash('sha256', first.hash)).matches : [];
    if (matches.length !== 1) throw new Error('the new entry does not match');
    return performance.now();
  });
  await police.commit(name, draft, keys);
  const receiptAt = performance.now();
  draft.settle();
  return Math.max(0, (await verdictAt) - receiptAt);
}

/** The same federation read anew into an empty store. */
async function wholeList({ federation, police }: World): Promise<number> {
  const config = federation.config('hoster-b');
  const hoster = await open({ config });
  const ms = await time(() => hoster.sync());
  const present = hoster.lists().find(({ origin }) => origin === ORIGIN)?.present;
  await hoster.close();
  if (present !== police.setCount) throw new Error('the synced list is incomplete');
  await emptyStore(config);
  return ms;
}

async function emptyStore(config: string): Promise<void> {
  const { store } = JSON.parse(await readFile(config, 'utf8')) as { store: { dir: string } };
  await rm(join(dirname(config), store.dir), { recursive: true, force: true });
}

/** A hoster's configuration reduced to the one list, so that nothing else is waited for. */
async function followOnly(config: string): Promise<void> {
  const held = JSON.parse(await readFile(config, 'utf8')) as { lists: { origin: string }[] };
  const lists = held.lists.filter(({ origin }) => origin === ORIGIN);
  await writeFile(config, JSON.stringify({ ...held, lists }));
}

async function delta(n: number): Promise<BenchLine[]> {
  const federation = await BenchFederation.start();
  try {
    for (const member of ['hoster-a', 'hoster-b']) await followOnly(federation.config(member));
    const police = await TestPublisher.open(federation.federation, 'police', ORIGIN);
    await fill(police, n);
    await using hoster = await open({ config: federation.config('hoster-a') });
    await hoster.sync();
    return await measured({ federation, police, hoster });
  } finally {
    await federation.remove();
  }
}

async function measured(world: World): Promise<BenchLine[]> {
  const stop = new AbortController();
  const watching = world.hoster.watch(stop.signal).catch(() => undefined);
  const took = { ours: [] as number[], theirs: [] as number[] };
  for (let round = -1; round < options.rounds; round++) {
    // Two deltas above one anchor exceed what one key may add.
    const ours = await oneDelta(world, round % 2 === 0 ? 'two' : 'one');
    const theirs = await wholeList(world);
    if (round < 0) continue;
    took.ours.push(ours);
    took.theirs.push(theirs);
  }
  stop.abort();
  await watching;
  const times = { ours: median(took.ours), theirs: median(took.theirs) };
  const line = { bench: 'sync-delta', n: DELTA, unit: 'ms', baseline: 'whole-list' } as const;
  return [result({ ...line, ...times, rounds: options.rounds, checked: true })];
}

const sized = (run: (n: number) => Promise<BenchLine[]>) => async (): Promise<BenchLine[]> => {
  const all: BenchLine[] = [];
  for (const n of options.sizes ?? DEFAULT_SIZES) all.push(...(await run(n)));
  return all;
};

export const benches: Record<string, () => Promise<BenchLine[]>> = { 'sync-delta': sized(delta) };
