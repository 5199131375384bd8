import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ErrorCode, encodeLeaf, type Leaf } from '../../sdk/core/index.js';
import * as bad from '../support/bad-input/index.js';

const HASH = randomBytes(32).toString('hex');
const ITEM = randomBytes(16).toString('hex');
const MISSING = ['--hash', 'ab'.repeat(32), '--reason', 'wrong'];
const UNKNOWN = 'police.example/unknown/sha256/g1';
const MIB = 1024 * 1024;
const MOUNTABLE = bad.canMount();

let world: bad.BadInputWorld;
beforeAll(async () => {
  world = await bad.BadInputWorld.make();
});
afterAll(() => world?.remove());

interface Row {
  readonly name: string;
  /** What comes before the state is compared. */
  readonly prepare?: () => Promise<unknown>;
  /** A command as its user runs it, or a call over mutual TLS: its exit code is what commands give to the error. */
  readonly act: () => Promise<bad.Outcome>;
  readonly reason: ErrorCode;
  readonly exit: 1 | 2 | 3 | 4;
  /** Ends the fault, before the state is compared again. */
  readonly recover?: () => Promise<unknown>;
  /** What must work then. */
  readonly after?: () => Promise<unknown>;
  /** Needs a small disk of its own: shown as skipped where this process may not mount one. */
  readonly disk?: true;
}

const add = (over: Partial<Extract<Leaf, { kind: 'add' }>> = {}): Leaf =>
  world.police.add(randomBytes(32), over);
const sync = () => world.command('hoster-a', 'sync');
const mustSync = () => bad.must(sync());
let backup = '';
const ROWS: readonly Row[] = [
  {
    name: 'unknown origin: a hoster follows it',
    act: () => bad.syncAs(world, [['police.example/known/sha256/g1', UNKNOWN]]),
    reason: 'UNKNOWN_ORIGIN',
    exit: 1,
  },
  {
    name: 'unknown origin: a publisher uploads to it',
    act: () => bad.uploadMessage(world, 100, UNKNOWN),
    reason: 'UNKNOWN_ORIGIN',
    exit: 1,
  },
  {
    name: 'wrong hash length: in a source',
    act: () => bad.publishRows(world, `,,${HASH.slice(1)},a`),
    reason: 'USAGE',
    exit: 2,
  },
  {
    name: 'wrong hash length: in a question',
    act: () => world.command('hoster-a', 'check', '--hash', `sha256:${HASH.slice(2)}`),
    reason: 'USAGE',
    exit: 2,
  },
  {
    name: 'wrong hash length: in an entry',
    act: () => bad.prepareBatch(world, add(), encodeLeaf(add()).subarray(0, -1)),
    reason: 'ANOMALOUS_ENTRY',
    exit: 1,
  },
  {
    name: 'wrong hash type: in a source',
    act: () => bad.publishRows(world, `,${HASH},,a`),
    reason: 'USAGE',
    exit: 2,
  },
  {
    name: 'wrong hash type: in an entry',
    act: () => bad.prepareBatch(world, add({ hashType: 2, hash: randomBytes(20) })),
    reason: 'ANOMALOUS_ENTRY',
    exit: 1,
  },
  {
    name: 'truncated stream: an upload that breaks',
    act: () => bad.brokenUpload(world),
    reason: 'CANCELLED',
    exit: 1,
  },
  {
    name: 'truncated stream: an upload that ends early',
    act: () => bad.shortUpload(world),
    reason: 'NOT_SEALED',
    exit: 4,
  },
  {
    name: 'truncated stream: a sync that breaks',
    prepare: () => bad.must(world.publish(2_000)),
    act: () => bad.syncOverBrokenLine(world),
    reason: 'UNAVAILABLE',
    exit: 1,
    after: mustSync,
  },
  {
    name: 'oversized message: above the limit of a bundle',
    act: () => bad.uploadMessage(world, 300_000),
    reason: 'MALFORMED',
    exit: 1,
  },
  {
    name: 'oversized message: above the limit of the transport',
    act: () => bad.uploadMessage(world, 5 * MIB),
    reason: 'MALFORMED',
    exit: 1,
  },
  {
    name: 'wrong role: a hoster publishes',
    act: () => bad.publishAsHoster(world),
    reason: 'NOT_ENTITLED',
    exit: 3,
  },
  {
    name: 'expired certificate',
    act: () => bad.syncWith(world, bad.expiredIdentity(world.folder, 'hoster-a')),
    reason: 'NOT_AUTHENTICATED',
    exit: 3,
  },
  {
    name: 'foreign certificate',
    act: () => bad.syncWith(world, bad.foreignIdentity(world.folder, 'hoster-a')),
    reason: 'NOT_AUTHENTICATED',
    exit: 3,
  },
  {
    name: 'no certificate: on the line',
    act: () => bad.withoutCertificate(world),
    reason: 'NOT_AUTHENTICATED',
    exit: 3,
  },
  {
    name: 'no certificate: in the configuration',
    act: () => bad.syncAs(world, [['"member.pem"', '"absent.pem"']]),
    reason: 'USAGE',
    exit: 2,
  },
  {
    name: 'duplicate in a batch: in a source',
    act: () => bad.publishRows(world, `${ITEM},,${HASH},a`, `${ITEM},,${HASH},a`),
    reason: 'DUPLICATE_RECORD',
    exit: 1,
  },
  {
    name: 'duplicate in a batch: in the entries',
    act: () => {
      const twice = add();
      return bad.prepareBatch(world, twice, twice);
    },
    reason: 'DUPLICATE_RECORD',
    exit: 1,
  },
  {
    name: 'absent target in a batch: a hash that is not listed',
    act: () => world.command('hotline', 'withdraw', '--collection', 'known', ...MISSING),
    reason: 'TARGET_ABSENT',
    exit: 1,
  },
  {
    name: 'absent target in a batch: an entry that is none',
    act: () => bad.prepareBatch(world, world.police.withdraw(60)),
    reason: 'TARGET_ABSENT',
    exit: 1,
  },
  {
    name: 'a batch signed by the wrong key: on the line',
    act: () => bad.commitByStranger(world),
    reason: 'BAD_SIGNATURE',
    exit: 4,
  },
  {
    name: "a batch signed by the wrong key: at the signer's",
    act: () => bad.signWithStranger(world),
    reason: 'USAGE',
    exit: 2,
  },
  {
    name: 'one key too few: on the line',
    act: () => bad.commitByOneKey(world),
    reason: 'THRESHOLD_NOT_MET',
    exit: 4,
  },
  {
    name: 'one key too few: by command',
    act: async () =>
      world.command('hotline', 'publish', ...(await world.source(bad.randomRows(2_000))), '--urgent'),
    reason: 'THRESHOLD_NOT_MET',
    exit: 4,
  },
  {
    name: 'a rolled-back server',
    prepare: async () => {
      backup = await bad.backUpAndGoOn(world);
    },
    act: async () => {
      await world.restart(backup);
      return sync();
    },
    reason: 'ROLLBACK',
    exit: 4,
    recover: () => world.restart(),
    after: mustSync,
  },
  {
    name: 'a full disk during sync',
    disk: true,
    prepare: async () => {
      await bad.must(world.publish(5_000));
      await world.disks?.hoster.fill();
    },
    act: sync,
    reason: 'STORAGE_FAILED',
    exit: 1,
    recover: async () => world.disks?.hoster.free(),
    after: mustSync,
  },
  {
    name: 'a full disk during publish',
    disk: true,
    prepare: async () => world.disks?.server.fill(),
    act: () => bad.publishTooMuch(world),
    reason: 'STORAGE_FAILED',
    exit: 1,
    recover: async () => {
      await world.disks?.server.free();
      await world.start();
    },
    after: () => world.police.publish(world.police.adds(1), 'two'),
  },
];

describe('bad input', () => {
  for (const { name, disk, prepare, act, reason, exit, recover, after } of ROWS)
    test.skipIf(disk === true && !MOUNTABLE)(name, async () => {
      await prepare?.();
      const before = await world.digest();
      expect(await act()).toEqual({ reason, exit });
      await recover?.();
      expect(await world.digest()).toBe(before);
      await after?.();
    });
});
