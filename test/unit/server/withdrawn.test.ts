import { describe, expect, test } from 'vitest';
import { portableSuite } from '../../../sdk/core/index.js';
import { WithdrawnChanges, WithdrawnMemory } from '../../../server/log/withdrawn.js';
import { silentLog } from '../../../server/logging/index.js';
import { seededBytes } from '../../support/log-builder.js';
import { createMemoryStorage } from '../../support/memory-storage.js';

const ORIGIN = 'a.example/x/sha256/g1';
const KEY = new Uint8Array(32).fill(1);
const clock = { nowMs: () => 1, monotonicMs: () => 1 };
const random = { bytes: (length: number) => new Uint8Array(length) };

async function open(key = KEY) {
  const storage = createMemoryStorage({ sha: portableSuite.sha256, clock, random });
  const deps = { storage, suite: portableSuite, clock, random, log: silentLog };
  return { storage, memory: await WithdrawnMemory.open(deps, key) };
}

const hash = (name: string): Uint8Array => seededBytes(name, 32);
const none = new WithdrawnChanges();

describe('the memory of withdrawn hashes', () => {
  test('keeps nothing before it is told that a range was committed', async () => {
    const { memory } = await open();
    const changes = new WithdrawnChanges();
    memory.noteWithdrawal(hash('a'), 1, changes);
    expect(memory.has(ORIGIN, hash('a'), changes)).toBe(true);
    expect(memory.has(ORIGIN, hash('a'), none)).toBe(false);
    memory.remember(ORIGIN, changes, memory.documents(ORIGIN, changes));
    expect(memory.has(ORIGIN, hash('a'), none)).toBe(true);
    expect(memory.has('a.example/x/sha256/g2', hash('a'), none)).toBe(false);
  });

  test.each([
    [1, true],
    [2, true],
    [3, false],
    [4, false],
    [8, true],
    [9, true],
    [10, true],
    [11, false],
    [200, false],
  ])('after reason %i needs the flag: %s', async (reason, wrong) => {
    const { memory } = await open();
    const changes = new WithdrawnChanges();
    memory.noteWithdrawal(hash('a'), 1, changes);
    memory.noteWithdrawal(hash('a'), reason, changes);
    expect(memory.has(ORIGIN, hash('a'), changes)).toBe(wrong);
  });

  test('stores what it knows without the hash, and forgets what was withdrawn for another reason', async () => {
    const { memory } = await open();
    const many = new WithdrawnChanges();
    const names = Array.from({ length: 100 }, (_, i) => `h${i}`);
    for (const name of names) memory.noteWithdrawal(hash(name), 1, many);
    const first = memory.documents(ORIGIN, many);
    expect(first.reduce((bytes, one) => bytes + one.bytes.length, 0)).toBe(1_600);
    for (const name of names)
      for (const { bytes } of first)
        expect(Buffer.from(bytes).includes(Buffer.from(hash(name).subarray(0, 8)))).toBe(false);
    memory.remember(ORIGIN, many, first);
    const later = new WithdrawnChanges();
    memory.noteWithdrawal(hash('h7'), 5, later);
    const [second, ...others] = memory.documents(ORIGIN, later);
    expect(others).toEqual([]);
    const before = first.find(({ name }) => name === second!.name)!;
    expect(second).toMatchObject({ version: before.version + 1 });
    expect(second!.bytes.length).toBe(before.bytes.length - 16);
  });

  test('says nothing to who has another key', async () => {
    const [mine, other] = [await open(), await open(new Uint8Array(32).fill(2))];
    const [a, b] = [new WithdrawnChanges(), new WithdrawnChanges()];
    mine.memory.noteWithdrawal(hash('a'), 1, a);
    other.memory.noteWithdrawal(hash('a'), 1, b);
    expect([...a.marks.keys()]).not.toEqual([...b.marks.keys()]);
  });
});
