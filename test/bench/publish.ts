import { portableSha256 } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { open } from '../../sdk/index.js';
import { bulkAdds } from '../support/server/bulk.js';
import { median, result, time } from './measure.js';
import { options } from './options.js';
import { BenchFederation, type Ran } from './publish-federation.js';
import type { BenchLine } from './types.js';

const DEFAULT_SIZES = [1_000_000];
/** Whole federations that are made, filled and read. */
const ROUNDS = 5;
/** Above this many entries a round takes minutes: there is one, and its line says so. */
const ONE_ROUND = 2_000_000;
const CHECKS = 100_000;
/** What ten million entries have to fit into. */
const LIMIT_BYTES = 2 ** 31;

interface Round {
  readonly publish: Ran;
  readonly sync: Ran;
  readonly serverPeak: number;
  readonly reopenMs: number;
  readonly checksMs: number;
  readonly treeMs: number;
}

const measured = new Map<number, Round[]>();

/** All rounds of one size, run once for all benchmarks of this file. */
async function rounds(n: number): Promise<Round[]> {
  const held = measured.get(n);
  if (held !== undefined) return held;
  const made: Round[] = [];
  for (let i = 0; i < (n > ONE_ROUND ? 1 : ROUNDS); i++) made.push(await oneRound(n));
  measured.set(n, made);
  return made;
}

/** Command lines from start to exit, against a server process with mutual TLS. */
async function oneRound(n: number): Promise<Round> {
  const world = await BenchFederation.start();
  try {
    const { args, hashes } = await world.source(n);
    const publish = await world.run('police', 'publish', ...args);
    const sync = await world.run('hoster-a', 'sync');
    const serverPeak = await world.stopServer();
    return { publish, sync, serverPeak, ...(await local(world, n, hashes)), treeMs: await treeOf(n) };
  } finally {
    await world.remove();
  }
}

/** Opens the hoster's store again, without any server, and asks it. */
async function local(world: BenchFederation, n: number, hashes: Uint8Array) {
  const started = performance.now();
  await using hoster = await open({ config: world.config('hoster-a') });
  await hoster.ready();
  const reopenMs = performance.now() - started;
  const present = hoster.lists().reduce((sum, list) => Math.max(sum, list.present), 0);
  if (present !== n) throw new Error(`${present} of ${n} entries arrived`);
  const misses = hashes.map((byte) => byte ^ 0x5a);
  const ask = async (from: Uint8Array, i: number) =>
    (await hoster.checkHash('sha256', from.subarray((i % n) * 32, (i % n) * 32 + 32))).matches.length;
  let found = 0;
  const checksMs = await time(async () => {
    for (let i = 0; i < CHECKS; i++) found += await ask(i % 2 === 0 ? hashes : misses, i);
  });
  if (found !== CHECKS / 2) throw new Error(`${found} of ${CHECKS / 2} hashes were found`);
  return { reopenMs, checksMs };
}

/** Hashing that many entries once: less work than any verified way of handling them. */
function treeOf(n: number): Promise<number> {
  const { sha256 } = platformSuite();
  const count = Math.min(n, 1_000_000);
  const bundle = bulkAdds(count, Date.now());
  const [first] = [portableSha256.hashLeaves(bundle.subarray(0, bundle.length / count), 1)];
  if (!Buffer.from(first).equals(Buffer.from(sha256.hashLeaves(bundle, count).subarray(0, 32))))
    throw new Error('the hashes differ');
  return time(() => {
    for (let done = 0; done < n; done += count) sha256.hashLeaves(bundle, count);
  });
}

const LINE = { rounds: ROUNDS, checked: true } as const;

async function publish(n: number): Promise<BenchLine[]> {
  const all = await rounds(n);
  const of = (pick: (round: Round) => number) => median(all.map(pick));
  const leafHashes = of(({ treeMs }) => treeMs);
  const line = (bench: string, count: number, ours: number, baseline: string, theirs: number) =>
    result({ ...LINE, rounds: all.length, bench, n: count, unit: 'ms', ours, baseline, theirs });
  const syncMs = of(({ sync }) => sync.ms);
  return [
    line(
      'publish',
      n,
      of(({ publish: { ms } }) => ms),
      'leaf-hashes',
      leafHashes,
    ),
    line('publish-sync', n, syncMs, 'leaf-hashes', leafHashes),
    line(
      'publish-reopen',
      n,
      of(({ reopenMs }) => reopenMs),
      'sync',
      syncMs,
    ),
    line(
      'publish-checks',
      CHECKS,
      of(({ checksMs }) => checksMs),
      'leaf-hashes',
      leafHashes,
    ),
  ];
}

async function rss(n: number): Promise<BenchLine[]> {
  const all = await rounds(n);
  const peaks: Record<string, (round: Round) => number> = {
    server: ({ serverPeak }) => serverPeak,
    publish: ({ publish: { peakBytes } }) => peakBytes,
    sync: ({ sync: { peakBytes } }) => peakBytes,
  };
  return Object.entries(peaks).map(([process, pick]) =>
    result({
      ...{ bench: 'rss', n, unit: 'B', ours: median(all.map(pick)), baseline: `2-gib-for-${process}` },
      ...{ ...LINE, theirs: LIMIT_BYTES, rounds: all.length },
    }),
  );
}

const sized = (run: (n: number) => Promise<BenchLine[]>) => async (): Promise<BenchLine[]> => {
  const all: BenchLine[] = [];
  for (const n of options.sizes ?? DEFAULT_SIZES) all.push(...(await run(n)));
  return all;
};

export const benches: Record<string, () => Promise<BenchLine[]>> = {
  publish: sized(publish),
  rss: sized(rss),
};
