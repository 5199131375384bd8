import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import {
  type Kernel,
  nodeDisk,
  openLevelKernel,
  openLevelStorage,
  type Storage,
} from '../../../server/storage/index.js';
import { createMemoryStorage, MemoryKernel } from '../../support/memory-storage.js';
import { HEADS_KEY, TestClock, testRandom, testSha } from '../../support/storage-fixtures.js';
import { kernelContract } from './kernel-suite.js';
import { logContract } from './log-suite.js';
import { stagingContract } from './staging-suite.js';
import { tablesContract } from './tables-suite.js';

/** Opens, reopens and in the end closes and removes something in a directory. */
async function onDisk<T extends { close(): Promise<void> }>(open: (directory: string) => Promise<T>) {
  const directory = await mkdtemp(join(tmpdir(), 'hashfed-contract-'));
  let current = await open(directory);
  const first = current;
  const reopen = async (): Promise<T> => {
    await current.close();
    current = await open(directory);
    return current;
  };
  const end = async (): Promise<void> => {
    await current.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { first, reopen, end };
}

const options = (directory: string, clock: TestClock) => ({
  directory: join(directory, 'store'),
  headsKey: HEADS_KEY,
  sha: testSha,
  clock,
  random: testRandom(Math.floor(clock.ms)),
  disk: nodeDisk,
  create: true,
});

const level = {
  make: async () => {
    const clock = new TestClock();
    const { first, ...rest } = await onDisk<Storage>((directory) =>
      openLevelStorage(options(directory, clock)),
    );
    return { storage: first, clock, ...rest };
  },
};

const memory = {
  make: async () => {
    const clock = new TestClock();
    const storage = createMemoryStorage({ sha: testSha, clock, random: testRandom(1) });
    return { storage, clock, end: () => storage.close() };
  },
};

describe('Level kernel', () => {
  kernelContract({
    make: async () => {
      const open = (directory: string) => openLevelKernel(options(directory, new TestClock()));
      const { first, ...rest } = await onDisk<Kernel>(open);
      return { kernel: first, ...rest };
    },
  });
});

describe('memory kernel', () => {
  kernelContract({
    make: async () => {
      const kernel = new MemoryKernel();
      return { kernel, end: () => kernel.close() };
    },
  });
});

describe.each([
  ['Level', level],
  ['memory', memory],
])('%s storage', (_name, factory) => {
  logContract(factory);
  stagingContract(factory);
  tablesContract(factory);
});
