/** The clauses of `Kernel`, as tests. A backend's own test hands in a factory. */
import { expect, it } from 'vitest';
import type { Kernel, Row } from '../../../server/storage/index.js';
import { collect } from '../../support/storage-fixtures.js';

export interface KernelFactory {
  readonly make: () => Promise<{ kernel: Kernel; reopen?: () => Promise<Kernel>; end: () => Promise<void> }>;
}

/** Keys of the document table, which every backend knows. */
const key = (...bytes: number[]): Uint8Array => Uint8Array.of(0x20, ...bytes);
const value = (text: string): Uint8Array => Buffer.from(text);
const put = (k: Uint8Array, text: string): Row => ({ key: k, value: value(text) });
const all = { from: key(), to: Uint8Array.of(0x21) };

export function kernelContract({ make }: KernelFactory): void {
  const use = (
    name: string,
    run: (kernel: Kernel, reopen?: () => Promise<Kernel>) => Promise<void>,
  ): void => {
    it(name, async () => {
      const { kernel, reopen, end } = await make();
      try {
        await run(kernel, reopen);
      } finally {
        await end();
      }
    });
  };

  use('returns what was put, and undefined for what was not', async (kernel) => {
    expect(
      await kernel.transact({ puts: [put(key(1), 'one'), { key: key(2), value: new Uint8Array(0) }] }),
    ).toBe(true);
    const [one, two, three] = await kernel.getMany([key(1), key(2), key(3)]);
    expect(Buffer.from(one!).toString()).toBe('one');
    expect(two).toHaveLength(0);
    expect(three).toBeUndefined();
    expect(await kernel.get(key(3))).toBeUndefined();
  });

  use('writes nothing when one check of several does not hold', async (kernel) => {
    await kernel.transact({ puts: [put(key(1), 'one')] });
    const checks = [
      { key: key(1), value: value('one') },
      { key: key(2), value: value('two') },
    ];
    expect(await kernel.transact({ checks, puts: [put(key(3), 'x')], deletes: [key(1)] })).toBe(false);
    expect(await kernel.get(key(3))).toBeUndefined();
    expect(await kernel.get(key(1))).toBeDefined();
    expect(await kernel.transact({ checks: [{ key: key(1), value: null }], puts: [put(key(3), 'x')] })).toBe(
      false,
    );
    expect(await kernel.transact({ checks: [{ key: key(9), value: null }], puts: [put(key(3), 'x')] })).toBe(
      true,
    );
  });

  use('tells an empty value from an absent one in checks', async (kernel) => {
    await kernel.transact({ puts: [{ key: key(1), value: new Uint8Array(0) }] });
    expect(await kernel.transact({ checks: [{ key: key(1), value: null }], deletes: [key(1)] })).toBe(false);
    expect(await kernel.transact({ checks: [{ key: key(2), value: new Uint8Array(0) }] })).toBe(false);
    expect(
      await kernel.transact({ checks: [{ key: key(1), value: new Uint8Array(0) }], deletes: [key(1)] }),
    ).toBe(true);
    expect(await kernel.get(key(1))).toBeUndefined();
  });

  use('lets exactly one of many concurrent compare-and-swaps win', async (kernel) => {
    for (let round = 0; round < 5; round += 1) {
      const before = (await kernel.get(key(1))) ?? null;
      const swap = (i: number) =>
        kernel.transact({
          checks: [{ key: key(1), value: before }],
          puts: [put(key(1), `${round}/${i}`), put(key(2), `${i}`)],
        });
      const won = await Promise.all(Array.from({ length: 20 }, (_, i) => swap(i)));
      expect(won.filter(Boolean)).toHaveLength(1);
      const winner = won.indexOf(true);
      const [one, two] = await kernel.getMany([key(1), key(2)]);
      expect(Buffer.from(one!).toString()).toBe(`${round}/${winner}`);
      expect(Buffer.from(two!).toString()).toBe(`${winner}`);
    }
  });

  use('scans in byte order, both ways, within half-open bounds and a limit', async (kernel) => {
    const keys = [key(), key(0), key(0, 0), key(0, 255), key(1), key(127), key(128), key(255), key(255, 255)];
    await kernel.transact({ puts: [...keys].reverse().map((k) => ({ key: k, value: k })) });
    const hex = (rows: readonly Row[]): string[] => rows.map((row) => Buffer.from(row.key).toString('hex'));
    const want = keys.map((k) => Buffer.from(k).toString('hex'));
    expect(hex(await collect(kernel.scan(all)))).toEqual(want);
    expect(hex(await collect(kernel.scan({ ...all, reverse: true })))).toEqual([...want].reverse());
    expect(hex(await collect(kernel.scan({ from: key(0), to: key(128) })))).toEqual(want.slice(1, 6));
    expect(hex(await collect(kernel.scan({ from: key(0), to: key(128), reverse: true, limit: 2 })))).toEqual([
      want[5],
      want[4],
    ]);
    expect(await collect(kernel.scan({ from: key(128), to: key(0) }))).toEqual([]);
    const bare = await collect(kernel.scan({ ...all, keysOnly: true }));
    expect(bare.every((row) => row.value.length === 0)).toBe(true);
    expect(hex(bare)).toEqual(want);
  });

  use('scans as of one moment while others write', async (kernel) => {
    const puts = Array.from({ length: 600 }, (_, i) => put(key(i >> 8, i & 255), 'old'));
    await kernel.transact({ puts });
    const seen: string[] = [];
    for await (const row of kernel.scan(all)) {
      if (seen.length === 0) {
        await kernel.transact({ puts: puts.map((one) => ({ ...one, value: value('new') })), deletes: [] });
        await kernel.transact({ deletes: puts.slice(300).map((one) => one.key) });
      }
      seen.push(Buffer.from(row.value).toString());
    }
    expect(seen).toEqual(Array.from({ length: 600 }, () => 'old'));
  });

  use(
    'ends a scan with CANCELLED when the signal aborts, and survives one that is dropped',
    async (kernel) => {
      await kernel.transact({ puts: Array.from({ length: 600 }, (_, i) => put(key(i >> 8, i & 255), 'x')) });
      const stop = new AbortController();
      const run = async (): Promise<void> => {
        for await (const _ of kernel.scan({ ...all, signal: stop.signal })) stop.abort();
      };
      await expect(run()).rejects.toMatchObject({ code: 'CANCELLED' });
      for await (const _ of kernel.scan(all)) break;
      await expect(collect(kernel.scan({ ...all, signal: AbortSignal.abort() }))).rejects.toMatchObject({
        code: 'CANCELLED',
      });
    },
  );

  use('hands out copies: changing a result changes nothing stored', async (kernel) => {
    const given = value('one');
    await kernel.transact({ puts: [{ key: key(1), value: given }] });
    given.fill(0);
    (await kernel.get(key(1)))!.fill(1);
    expect(Buffer.from((await kernel.get(key(1)))!).toString()).toBe('one');
  });

  use('keeps everything across closing and reopening, and closes twice', async (kernel, reopen) => {
    await kernel.transact({ puts: [put(key(1), 'one')] });
    await kernel.transact({ puts: [put(key(1), 'two'), put(key(2), 'x')] });
    await kernel.transact({ deletes: [key(2)] });
    expect((await kernel.verify()).problems).toEqual([]);
    await kernel.close();
    await kernel.close();
    const again = await reopen?.();
    const stored = again ? await again.get(key(1)) : value('two');
    expect(Buffer.from(stored!).toString()).toBe('two');
    expect(again ? await again.get(key(2)) : undefined).toBeUndefined();
    expect(again ? (await again.verify()).problems : []).toEqual([]);
  });

  use('purges ranges without touching what is there', async (kernel) => {
    await kernel.transact({ puts: [put(key(1), 'one')] });
    await kernel.transact({ puts: [put(key(1), 'two')] });
    await kernel.purge(all);
    expect(Buffer.from((await kernel.get(key(1)))!).toString()).toBe('two');
  });
}
