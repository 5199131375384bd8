import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  mergeSigned,
  parseSigned,
  type RecordDisk,
  recordDisk,
  type SecretKey,
  signRequest,
} from '../../../client/publisher/index.js';
import {
  concat,
  encodeBundle,
  encodeErased,
  forEachLeaf,
  HashfedError,
  hashLeaf,
  keysFor,
  parseDsse,
  parseRoot,
  verifyCheckpoint,
} from '../../../sdk/core/index.js';
import {
  clock,
  type Keys,
  makeKeys,
  NOW,
  ORIGINS,
  type RequestPlan,
  suite,
  TestList,
  writeTestRequest,
} from './request-fixture.js';

let folder: string;
let keys: Keys;
let lists: TestList[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashfed-signer-'));
  keys = makeKeys();
  lists = ORIGINS.map((origin) => new TestList(origin));
  for (const list of lists) list.grow(5);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const recordOf = (key: SecretKey) => join(folder, `${key.role}.record`);
const sign = (key: SecretKey, file: string, disk: RecordDisk = recordDisk, nowMs = NOW) =>
  signRequest({ suite, clock: { ...clock, nowMs: () => nowMs }, disk, recordFile: recordOf(key) }, key, file);
const request = (from: readonly number[], more: Partial<RequestPlan> = {}) =>
  writeTestRequest({
    folder,
    name: 'request',
    keys,
    role: 'list',
    lists: lists.map((list, i) => [list, from[i] ?? 0] as const),
    ...more,
  });
const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'signed',
    (error: unknown) => (error instanceof HashfedError ? error.code : String(error)),
  );

describe('signing', () => {
  it('signs what it recomputed; both keys together make a two-key note', async () => {
    const first = parseSigned(await sign(keys.list, await request([0, 0])));
    const second = parseSigned(
      await sign(keys.approve, await request([0, 0], { role: 'approve', name: 'b' })),
    );
    const merged = mergeSigned([first, second]);
    const root = parseRoot(suite.sha256, parseDsse('root', keys.envelope).body);
    for (const list of lists) {
      const policy = { keys: keysFor(root, list.origin), cosigners: { keys: [], needed: 0 } };
      const checkpoint = verifyCheckpoint(suite, policy, merged.get(list.origin)!, { nowMs: NOW });
      expect(checkpoint).toMatchObject({ twoKey: true, size: 6, root: list.tree.root() });
    }
  });

  it('answers a repeated request with the same bytes, and another one for the same range not at all', async () => {
    const file = await request([0, 0]);
    const released = await sign(keys.list, file);
    expect(await sign(keys.list, file)).toEqual(released);
    expect(await failure(sign(keys.list, await request([0, 0], { name: 'again' })))).toBe('SIGNER_BEHIND');
  });

  it('continues only from its own last head', async () => {
    await sign(keys.list, await request([0, 0]));
    for (const list of lists) list.grow(3);
    expect(await failure(sign(keys.list, await request([0, 6])))).toBe('SIGNER_BEHIND');
    expect(parseSigned(await sign(keys.list, await request([6, 6]))).notes).toHaveLength(2);
  });

  it('refuses a fork: another tree of the size it signed', async () => {
    await sign(keys.list, await request([0, 0]));
    lists = ORIGINS.map((origin) => new TestList(origin));
    for (const list of lists) list.grow(5);
    for (const list of lists) list.grow(1);
    expect(await failure(sign(keys.list, await request([6, 6])))).toBe('SIGNER_BEHIND');
  });

  it('refuses after a restored record', async () => {
    await sign(keys.list, await request([0, 0]));
    const backup = await readFile(recordOf(keys.list));
    for (const list of lists) list.grow(3);
    await sign(keys.list, await request([6, 6]));
    await writeFile(recordOf(keys.list), backup);
    for (const list of lists) list.grow(3);
    expect(await failure(sign(keys.list, await request([10, 10])))).toBe('SIGNER_BEHIND');
  });

  it('lets an approve key catch up over several batches', async () => {
    for (const list of lists) list.grow(3);
    const signed = parseSigned(await sign(keys.approve, await request([0, 0], { role: 'approve' })));
    expect(signed.notes).toHaveLength(2);
  });
});

describe('an approve key and erased entries', () => {
  /** The last batch as a preparer hands it over who shows leaf hashes instead of the entries at `hidden`. */
  const hide = (list: TestList, hidden: readonly number[]): void => {
    const last = list.bundles.at(-1)!;
    let index = last.from;
    const parts: Uint8Array[] = [];
    forEachLeaf(last.bytes, (at, length) => {
      const leaf = last.bytes.subarray(at, at + length);
      parts.push(hidden.includes(index) ? encodeErased(hashLeaf(suite.sha256, leaf)) : encodeBundle([leaf]));
      index += 1;
    });
    last.bytes = concat(...parts);
  };
  const approve = () => request([0, 0], { role: 'approve' }).then((file) => sign(keys.approve, file));

  it('signs past one that is withdrawn further on', async () => {
    lists[1]!.grow(2, NOW, [6]);
    hide(lists[1]!, [6]);
    expect(parseSigned(await approve()).notes).toHaveLength(2);
  });

  it.each([
    ['an addition', [], [6]],
    ['the withdrawal of an older record', [0], [8]],
    ['an addition whose index another entry withdraws', [0], [6]],
  ])('refuses %s that is merely hidden', async (_what, withdrawn, hidden) => {
    const list = lists[1]!;
    list.grow(2, NOW, withdrawn);
    hide(list, hidden);
    // The preparer's counts call what it hides additions.
    const bundle = list.bundles.at(-1)!;
    if (hidden[0] === 8) Object.assign(bundle, { adds: bundle.adds + 1, withdrawals: 0 });
    expect(await failure(approve())).toBe('MISSING_ENTRY');
    expect(await failure(readFile(recordOf(keys.approve)))).toContain('ENOENT');
  });
});

describe('refusals', () => {
  const cases: [string, Partial<RequestPlan>, string][] = [
    ['another root', { change: (range) => ({ ...range, root: new Uint8Array(32) }) }, 'ROOT_MISMATCH'],
    ['another size', { change: (range) => ({ ...range, to: range.to + 1n }) }, 'ROOT_MISMATCH'],
    [
      'another digest',
      { change: (range) => ({ ...range, entriesSha256: new Uint8Array(32) }) },
      'ROOT_MISMATCH',
    ],
    [
      'counts that say less than the entries',
      { change: (range) => ({ ...range, counts: { ...range.counts!, added: 1n } }) },
      'ROOT_MISMATCH',
    ],
    ['a range without counts', { change: (range) => ({ ...range, counts: undefined }) }, 'ROOT_MISMATCH'],
    ['a range that starts ahead', { change: (range) => ({ ...range, from: 1n }) }, 'MALFORMED'],
    ['the other role', { role: 'approve' }, 'USAGE'],
  ];
  it.each(cases)('%s', async (_what, more, code) => {
    expect(await failure(sign(keys.list, await request([0, 0], more)))).toBe(code);
    expect(await failure(readFile(recordOf(keys.list)))).toContain('ENOENT');
  });

  it('a key that the root does not name', async () => {
    const stranger = makeKeys().list;
    const file = await request([0, 0], { keys: { ...keys, list: stranger } });
    expect(await failure(sign(stranger, file))).toBe('USAGE');
  });

  it('entries from the future, by its own clock', async () => {
    expect(await failure(sign(keys.list, await request([0, 0]), recordDisk, NOW - 11 * 60_000))).toBe(
      'FUTURE',
    );
  });

  it('a file in which any one byte is changed', async () => {
    const bytes = await readFile(await request([0, 0]));
    const file = join(folder, 'damaged');
    for (let at = 0; at < bytes.length; at += 37) {
      const damaged = Buffer.from(bytes);
      damaged[at] = damaged[at]! ^ 1;
      await writeFile(file, damaged);
      // What no signature covers (ids, times, sizes shown) may change; then the released notes are the same.
      const outcome = await sign(keys.list, file).then(
        (signed) =>
          parseSigned(signed)
            .notes.map(({ note }) => Buffer.from(note).toString())
            .join(),
        () => 'refused',
      );
      if (outcome === 'refused') continue;
      for (const list of lists) expect(outcome).toContain(Buffer.from(list.tree.root()).toString('base64'));
      await rm(recordOf(keys.list));
    }
  });

  it.each([0, 11, 40, -1])('a file cut at %i', async (at) => {
    const file = await request([0, 0]);
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, at < 0 ? bytes.length + at : at));
    expect(await failure(sign(keys.list, file))).toBe('MALFORMED');
  });

  it('bytes behind the end', async () => {
    const file = await request([0, 0]);
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.from([0])]));
    expect(await failure(sign(keys.list, file))).toBe('MALFORMED');
  });
});

describe('the record', () => {
  it('of two signers at once one loses cleanly', async () => {
    const [a, b] = [await request([0, 0]), await request([0, 0], { name: 'other' })];
    const outcomes = await Promise.all([failure(sign(keys.list, a)), failure(sign(keys.list, b))]);
    expect(outcomes.toSorted()).toEqual(['SIGNER_BEHIND', 'signed']);
  });

  const faults: [string, (disk: RecordDisk) => RecordDisk, boolean][] = [
    ['nothing written', (disk) => ({ ...disk, replace: () => Promise.reject(new Error('power')) }), false],
    [
      'written, and reported as failed',
      (disk) => ({
        ...disk,
        replace: async (file, bytes) => {
          await disk.replace(file, bytes);
          throw new Error('power');
        },
      }),
      true,
    ],
  ];
  it.each(faults)(
    'a crash with %s releases nothing, and the same request can be repeated',
    async (_w, fault, stored) => {
      const file = await request([0, 0]);
      expect(await failure(sign(keys.list, file, fault(recordDisk)))).toContain('power');
      const other = await request([0, 0], { name: 'other' });
      if (stored) expect(await failure(sign(keys.list, other))).toBe('SIGNER_BEHIND');
      expect(parseSigned(await sign(keys.list, file)).notes).toHaveLength(2);
      expect(await failure(sign(keys.list, other))).toBe('SIGNER_BEHIND');
    },
  );

  it('a damaged record is refused, not started anew', async () => {
    const file = await request([0, 0]);
    await sign(keys.list, file);
    await writeFile(recordOf(keys.list), Buffer.alloc(40));
    expect(await failure(sign(keys.list, file))).toBe('MALFORMED');
  });

  it('of another key is refused', async () => {
    await sign(keys.list, await request([0, 0]));
    const bytes = await readFile(recordOf(keys.list));
    await writeFile(recordOf(keys.approve), bytes);
    expect(await failure(sign(keys.approve, await request([0, 0], { role: 'approve' })))).toBe(
      'SIGNER_BEHIND',
    );
  });
});
