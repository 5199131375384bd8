/**
 * Every write point of a busy store × {failed, reported as failed though persisted, torn}. After each: the
 * error is STORAGE_FAILED, the store refuses all further work, and once reopened it holds every acknowledged
 * change, holds the interrupted one whole or not at all, and passes the full check.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeDisk, openLevelStorage, type Storage } from '../../server/storage/index.js';
import { type FaultMode, FaultPlan, faultyDisk, faultyEngine } from '../support/faulty-storage.js';
import {
  grow,
  HEADS_KEY,
  ORIGIN,
  OTHER,
  partOf,
  stage,
  TestClock,
  testRandom,
  testSha,
  utf8,
} from '../support/storage-fixtures.js';

/** A rename, a sync or a compaction is whole or not at all; what is written can also be torn. */
const modesOf = (name: string): readonly FaultMode[] =>
  name.startsWith('write') || name === 'database batch'
    ? ['failed', 'reported', 'torn']
    : ['failed', 'reported'];
const base = (directory: string) => ({
  directory,
  headsKey: HEADS_KEY,
  sha: testSha,
  clock: new TestClock(),
  random: testRandom(1),
});
const openWell = (directory: string, create = false): Promise<Storage> =>
  openLevelStorage({ ...base(directory), disk: nodeDisk, create });
const openFaulty = (directory: string, plan: FaultPlan, create = false): Promise<Storage> =>
  openLevelStorage({ ...base(directory), disk: faultyDisk(plan), openEngine: faultyEngine(plan), create });

interface Step {
  readonly name: string;
  readonly run: (storage: Storage) => Promise<unknown>;
  /** What the step changed, as seen from outside: equal to `after` or to what it was before, nothing between. */
  readonly look: (storage: Storage) => Promise<unknown>;
  readonly after: unknown;
}

const sizes = async ({ logs }: Storage): Promise<unknown> => [
  (await logs.head(ORIGIN))?.size,
  (await logs.head(OTHER))?.size,
];

async function commitBoth(storage: Storage): Promise<void> {
  const first = await stage(storage, ORIGIN, 300, 700);
  const second = await stage(storage, OTHER, 0, 20);
  const document = { kind: 'idempotency', name: 'commit', version: 1, bytes: utf8('answer') } as const;
  await storage.logs.commit([partOf(first), partOf(second)], [document]);
}

const STEPS: readonly Step[] = [
  {
    name: 'commit over two lists with a document',
    run: commitBoth,
    look: async (storage) => [
      await sizes(storage),
      (await storage.documents.get('idempotency', 'commit'))?.version,
    ],
    after: [[700, 20], 1],
  },
  {
    name: 'merged note',
    run: async ({ logs }) => logs.replaceNotes((await logs.head(ORIGIN))!, { note: utf8('merged') }),
    look: async ({ logs }) => Buffer.from((await logs.head(ORIGIN))!.note).toString() === 'merged',
    after: true,
  },
  {
    name: 'telemetry report with receipt',
    run: ({ telemetry }) =>
      telemetry.put({ member: 'h', window: 'w', revision: 1, receivedMs: 1, bytes: utf8('x') }, utf8('r')),
    look: async ({ telemetry }) => [
      (await telemetry.arrivals(0, 9)).length,
      (await telemetry.receipt('h', 'w', 1, 'server')) !== undefined,
    ],
    after: [1, true],
  },
  {
    name: 'erasure',
    run: ({ logs }) => logs.erase(ORIGIN, [5]),
    look: async ({ logs }) => {
      for await (const { bytes } of logs.read(ORIGIN, { from: 5, to: 6 })) return bytes[1];
      return undefined;
    },
    after: 0,
  },
];

async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const parent = await mkdtemp(join(tmpdir(), 'hashfed-faults-'));
  try {
    return await use(join(parent, 'store'));
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

/** Runs the steps until one fails; returns how many were acknowledged. */
async function runSteps(storage: Storage): Promise<{ acknowledged: number; error: unknown }> {
  for (const [acknowledged, step] of STEPS.entries()) {
    try {
      await step.run(storage);
    } catch (error) {
      return { acknowledged, error };
    }
  }
  return { acknowledged: STEPS.length, error: undefined };
}

/** The write points of the whole run, closing included. */
async function pointsOfRun(): Promise<string[]> {
  return inDirectory(async (directory) => {
    const plan = new FaultPlan();
    const storage = await openFaulty(directory, plan, true);
    await grow(storage, ORIGIN, 300);
    plan.arm();
    expect(await runSteps(storage)).toEqual({ acknowledged: STEPS.length, error: undefined });
    await storage.close();
    return plan.points;
  });
}

async function breakAt(at: number, mode: FaultMode): Promise<void> {
  await inDirectory(async (directory) => {
    const plan = new FaultPlan();
    const storage = await openFaulty(directory, plan, true);
    await grow(storage, ORIGIN, 300);
    const before = await Promise.all(STEPS.map(({ look }) => look(storage)));
    plan.arm(at, mode);
    const { acknowledged, error } = await runSteps(storage);
    if (error !== undefined) {
      expect(error).toMatchObject({ code: 'STORAGE_FAILED' });
      expect(storage.failure).toMatchObject({ code: 'STORAGE_FAILED' });
      await expect(storage.logs.head(ORIGIN)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      const document = { kind: 'config', name: 'x', version: 1, bytes: utf8('') } as const;
      await expect(storage.documents.put(document)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    }
    await storage.close().catch(() => undefined);
    expect(plan.fired).toBe(true);
    await plan.afterClose();
    await using again = await openWell(directory);
    expect((await again.check({ full: true })).problems).toEqual([]);
    for (const [i, step] of STEPS.entries()) {
      const now = JSON.stringify(await step.look(again));
      const allowed =
        i < acknowledged ? [step.after] : i === acknowledged ? [before[i], step.after] : [before[i]];
      expect(
        allowed.map((one) => JSON.stringify(one)),
        `${step.name} after ${plan.points.at(-1)}`,
      ).toContain(now);
    }
    const left = STEPS.slice(acknowledged);
    for (const step of left)
      if (JSON.stringify(await step.look(again)) !== JSON.stringify(step.after)) await step.run(again);
    expect((await again.check({ full: true })).problems).toEqual([]);
  });
}

describe('faults at every write point', async () => {
  const points = await pointsOfRun();
  it('covers database, file, rename and directory sync', () => {
    expect(new Set(points)).toEqual(
      new Set([
        'database batch',
        'write HEADS.tmp',
        'rename HEADS',
        'fsync directory',
        'database compaction',
      ]),
    );
  });
  for (const [at, name] of points.entries()) {
    for (const mode of modesOf(name)) it(`point ${at} (${name}) ${mode}`, () => breakAt(at, mode));
  }
});

describe('faults while a store is made', async () => {
  const points = await inDirectory(async (directory) => {
    const plan = new FaultPlan();
    plan.arm();
    await (await openFaulty(directory, plan, true)).close();
    return plan.points;
  });
  for (const [at, name] of points.entries()) {
    for (const mode of modesOf(name)) {
      it(`point ${at} (${name}) ${mode}: making it again works`, () =>
        inDirectory(async (directory) => {
          const plan = new FaultPlan();
          plan.arm(at, mode);
          const first = await openFaulty(directory, plan, true).catch(() => undefined);
          await first?.close().catch(() => undefined);
          expect(plan.fired).toBe(true);
          await plan.afterClose();
          await using storage = await openWell(directory, true);
          await grow(storage, ORIGIN, 5);
          expect((await storage.check({ full: true })).ok).toBe(true);
        }));
    }
  }
});
