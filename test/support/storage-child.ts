/** A process of its own that appends until it is killed; says `committed SIZE` after each acknowledgement. */

import { randomBytes } from 'node:crypto';
import { nodeDisk, openLevelStorage } from '../../server/storage/index.js';
import { grow, HEADS_KEY, ORIGIN, TestClock, testSha } from './storage-fixtures.js';

const [, , directory = '', step = '700'] = process.argv;

const storage = await openLevelStorage({
  directory,
  headsKey: HEADS_KEY,
  sha: testSha,
  clock: new TestClock(),
  random: { bytes: (length) => Uint8Array.from(randomBytes(length)) },
  disk: nodeDisk,
  create: true,
});
for (;;) {
  const size = ((await storage.logs.head(ORIGIN))?.size ?? 0) + Number(step);
  await grow(storage, ORIGIN, size);
  process.stdout.write(`committed ${size}\n`);
}
