import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { parseCheckpoint, parseNote } from '../../sdk/core/index.js';
import { callUnary, type RpcChannel, readStream } from '../../sdk/rpc/index.js';
import { TestFederation } from '../support/server/federation.js';
import { TestPublisher } from '../support/server/publisher.js';
import { median, result, time } from './measure.js';
import { options } from './options.js';
import type { BenchLine } from './types.js';

const DEFAULT_SIZES = [500];
/** Watches that one connection carries; the server allows 100. */
const PER_CONNECTION = 50;
const ORIGIN = 'police.example/known/sha256/g1';
/** What a watch may bring in all. */
const MAX_BYTES = 64 << 20;
const DEADLINE = { deadlineMs: 60_000, retries: 0 };

/** Readers who are told: each keeps the newest size that a message named. */
class Readers {
  readonly channels: RpcChannel[] = [];
  readonly #sizes: number[] = [];
  readonly #stops: AbortController[] = [];
  #failure: unknown;
  #wake = (): void => {};

  static async start(federation: TestFederation, count: number): Promise<Readers> {
    const readers = new Readers();
    for (let i = 0; i < count; i++) {
      if (i % PER_CONNECTION === 0) readers.channels.push(await federation.as('hoster-a'));
      void readers.#read(i, readers.channels.at(-1)!).catch((error: unknown) => readers.#fail(error));
    }
    return readers;
  }

  async #read(i: number, channel: RpcChannel): Promise<void> {
    this.#sizes[i] = -1;
    const stop = new AbortController();
    this.#stops.push(stop);
    const limits = { deadlineMs: 3_600_000, idleMs: 60_000, maxBytes: MAX_BYTES, signal: stop.signal };
    const request = { origins: [ORIGIN] };
    for await (const { checkpoint } of readStream(
      channel,
      ListServiceService.watchCheckpoints,
      request,
      limits,
    )) {
      if (checkpoint === undefined || checkpoint.note.length === 0) continue;
      this.#sizes[i] = parseCheckpoint(parseNote(checkpoint.note).body).size;
      this.#wake();
    }
  }

  /** Resolves once every reader was told of this size. */
  async reach(size: number): Promise<void> {
    while (this.#sizes.some((seen) => seen < size)) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((done) => {
        this.#wake = done;
      });
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  stop(): void {
    for (const stop of this.#stops) stop.abort();
  }
}

/** One member stands for many here. */
async function allowWatches({ folder }: TestFederation, n: number): Promise<void> {
  const file = join(folder, 'server/server.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  const limits = { calls: 4 * n, calls_per_member: 4 * n };
  await writeFile(file, JSON.stringify({ ...config, limits }));
}

/** From the call that commits until its receipt and the last of `n` watching readers was told; or n readers ask. */
async function fanout(n: number): Promise<BenchLine[]> {
  const federation = await TestFederation.make();
  await allowWatches(federation, n);
  await federation.start();
  const police = await TestPublisher.open(federation, 'police', ORIGIN);
  await police.publish(police.adds(50), 'two');
  const readers = await Readers.start(federation, n);
  await readers.reach(police.size);
  const told: number[] = [];
  const polled: number[] = [];
  for (let round = -1; round < options.rounds; round++) {
    const draft = police.draft(police.adds(1));
    const { name } = await police.prepare(draft);
    const ms = await time(() => Promise.all([police.commit(name, draft, 'two'), readers.reach(draft.size)]));
    draft.settle();
    const ask = (channel: RpcChannel) =>
      callUnary(channel, ListServiceService.getCheckpoint, { origin: ORIGIN }, DEADLINE);
    const all = Array.from({ length: n }, (_, i) => readers.channels[i % readers.channels.length]!);
    const asked = await time(() => Promise.all(all.map(ask)));
    if (round < 0) continue;
    told.push(ms);
    polled.push(asked);
  }
  readers.stop();
  await federation.remove();
  const line = { bench: 'fanout', n, unit: 'ms', ours: median(told), baseline: 'poll' } as const;
  return [result({ ...line, theirs: median(polled), rounds: options.rounds, checked: true })];
}

const sized = (run: (n: number) => Promise<BenchLine[]>) => async (): Promise<BenchLine[]> => {
  const all: BenchLine[] = [];
  for (const n of options.sizes ?? DEFAULT_SIZES) all.push(...(await run(n)));
  return all;
};

export const benches: Record<string, () => Promise<BenchLine[]>> = { fanout: sized(fanout) };
