/** The clauses of documents, telemetry, sync states, budgets and parts, as tests. */
import { expect, it } from 'vitest';
import type { Page, Storage } from '../../../server/storage/index.js';
import { collect, ORIGIN, OTHER, utf8 } from '../../support/storage-fixtures.js';
import type { StorageFactory } from './log-suite.js';

const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();

async function allPages<T>(read: (pageToken: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let token = ''; ; ) {
    const page = await read(token);
    items.push(...page.items);
    token = page.nextPageToken;
    if (token === '') return items;
  }
}

export function tablesContract({ make }: StorageFactory): void {
  const use = (
    name: string,
    run: (storage: Storage, reopen?: () => Promise<Storage>) => Promise<void>,
  ): void => {
    it(name, async () => {
      const { storage, reopen, end } = await make();
      try {
        await run(storage, reopen);
      } finally {
        await end();
      }
    });
  };

  use('versions documents by compare-and-swap', async ({ documents }) => {
    const root = (version: number, body: string) =>
      ({ kind: 'root', name: 'police.example', version, bytes: utf8(body) }) as const;
    expect(await documents.get('root', 'police.example')).toBeUndefined();
    expect(await documents.put(root(2, 'x'))).toBe(false);
    expect(await documents.put(root(1, 'one'))).toBe(true);
    expect(await documents.put(root(1, 'again'))).toBe(false);
    const raced = await Promise.all(
      Array.from({ length: 8 }, (_, i) => documents.put(root(2, `two by ${i}`))),
    );
    expect(raced.filter(Boolean)).toHaveLength(1);
    expect(text((await documents.get('root', 'police.example'))?.bytes)).toBe(
      `two by ${raced.indexOf(true)}`,
    );
    expect(text((await documents.get('root', 'police.example', 1))?.bytes)).toBe('one');
    expect((await documents.versions('root', 'police.example')).items.map(({ version }) => version)).toEqual([
      1, 2,
    ]);
    await expect(documents.drop('root', 'police.example')).rejects.toMatchObject({ code: 'USAGE' });
  });

  use('puts several documents or none, and lists names with their newest version', async ({ documents }) => {
    for (const name of ['a', 'b', 'c']) {
      for (const version of [1, 2])
        await documents.put({ kind: 'root', name, version, bytes: utf8(`${name}${version}`) });
    }
    const both = [
      { kind: 'root', name: 'a', version: 3, bytes: utf8('a3') },
      { kind: 'root', name: 'b', version: 9, bytes: utf8('b9') },
    ] as const;
    expect(await documents.put(...both)).toBe(false);
    expect((await documents.get('root', 'a'))?.version).toBe(2);
    const listed = await allPages((pageToken) => documents.list('root', { pageToken, pageSize: 1 }));
    expect(listed.map((one) => text(one.bytes))).toEqual(['a2', 'b2', 'c2']);
  });

  use('keeps the newest version only where history has no use', async ({ documents }) => {
    for (let version = 1; version <= 5; version += 1) {
      await documents.put({ kind: 'freshness', name: ORIGIN, version, bytes: utf8(`${version}`) });
    }
    expect((await documents.versions('freshness', ORIGIN)).items.map(({ version }) => version)).toEqual([5]);
    await documents.put({ kind: 'config', name: 'x', version: 1, bytes: utf8('') });
    await documents.drop('config', 'x');
    expect(await documents.get('config', 'x')).toBeUndefined();
    expect(await documents.put({ kind: 'config', name: 'x', version: 1, bytes: utf8('new') })).toBe(true);
  });

  use(
    'keeps names apart whatever they contain, and refuses those that do not fit a key',
    async ({ documents }) => {
      const names = ['a', 'a/b', 'ab', 'a\u0001', 'ä', 'A'];
      for (const name of names) await documents.put({ kind: 'config', name, version: 1, bytes: utf8(name) });
      for (const name of names) expect(text((await documents.get('config', name))?.bytes)).toBe(name);
      for (const name of ['', 'a\0b', 'x'.repeat(257), '\ud800']) {
        await expect(documents.get('config', name)).rejects.toMatchObject({ code: 'MALFORMED' });
      }
    },
  );

  use('refuses page tokens and sizes that are not of the query', async ({ documents }) => {
    for (const name of ['a', 'b', 'c'])
      await documents.put({ kind: 'config', name, version: 1, bytes: utf8('') });
    const { nextPageToken } = await documents.list('config', { pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    for (const pageToken of [`${nextPageToken}=`, 'AAAA', '!', nextPageToken.repeat(400)]) {
      await expect(documents.list('config', { pageToken })).rejects.toMatchObject({ code: 'MALFORMED' });
    }
    await expect(documents.list('case', { pageToken: nextPageToken })).rejects.toMatchObject({
      code: 'MALFORMED',
    });
    for (const pageSize of [-1, 1_001, 0.5, Number.NaN]) {
      await expect(documents.list('config', { pageSize })).rejects.toMatchObject({ code: 'MALFORMED' });
    }
  });

  const report = (member: string, window: string, body = 'counts', revision = 1) => ({
    member,
    window,
    revision,
    receivedMs: 5,
    bytes: utf8(body),
  });

  use('stores a report once, answers a repeat alike, and refuses another', async ({ telemetry }, reopen) => {
    const first = await telemetry.put(report('hoster', '2026-11-24'), utf8('receipt'));
    expect(first).toMatchObject({ fresh: true, report: { sequence: 1 } });
    const again = await telemetry.put(
      { ...report('hoster', '2026-11-24'), receivedMs: 9 },
      utf8('second receipt'),
    );
    expect(again).toMatchObject({ fresh: false, report: { sequence: 1, receivedMs: 5 } });
    expect(text(again.receipt)).toBe('receipt');
    await expect(telemetry.put(report('hoster', '2026-11-24', 'other'), utf8('r'))).rejects.toMatchObject({
      code: 'TELEMETRY_CONFLICT',
    });
    expect((await telemetry.put(report('hoster', '2026-11-24', 'other', 2), utf8('r'))).fresh).toBe(true);
    const after = reopen ? (await reopen()).telemetry : telemetry;
    expect(text((await after.get('hoster', '2026-11-24', 1))?.bytes)).toBe('counts');
    expect(await after.get('hoster', '2026-11-25', 1)).toBeUndefined();
    expect(text((await after.receipt('hoster', '2026-11-24', 1, 'server'))?.bytes)).toBe('receipt');
    expect(await after.receipt('hoster', '2026-11-24', 1, 'monitor')).toBeUndefined();
    await after.putReceipt({
      member: 'hoster',
      window: '2026-11-24',
      revision: 1,
      by: 'monitor',
      bytes: utf8('m'),
    });
    expect(text((await after.receipt('hoster', '2026-11-24', 1, 'monitor'))?.bytes)).toBe('m');
  });

  use('numbers concurrent reports densely and exactly one of equal ones as fresh', async ({ telemetry }) => {
    const puts = Array.from({ length: 300 }, (_, i) =>
      telemetry.put(report(`h${i % 100}`, `w${Math.floor(i / 200)}`), utf8(`${i}`)),
    );
    const done = await Promise.all(puts);
    expect(done.filter(({ fresh }) => fresh)).toHaveLength(200);
    const arrived = [...(await telemetry.arrivals(0, 150)), ...(await telemetry.arrivals(150, 1_000))];
    expect(arrived.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(await telemetry.arrivals(200, 10)).toEqual([]);
  });

  use('lists reports by member and window, in pages', async ({ telemetry }) => {
    for (const member of ['b', 'a', 'ab']) {
      for (const window of ['2026-11-23', '2026-11-24', '2026-11-24T07', '2026-11-25'])
        await telemetry.put(report(member, window), utf8('r'));
    }
    const all = await allPages((pageToken) => telemetry.list({ pageToken, pageSize: 5 }));
    expect(all).toHaveLength(12);
    expect(all.map(({ member }) => member).join()).toBe('a,a,a,a,ab,ab,ab,ab,b,b,b,b');
    const some = await telemetry.list({ member: 'a', fromWindow: '2026-11-24', toWindow: '2026-11-25' });
    expect(some.items.map(({ window }) => window)).toEqual(['2026-11-24', '2026-11-24T07']);
  });

  use('keeps the newest sync state of each member and list', async ({ syncStates }) => {
    const state = (member: string, origin: string, receivedMs: number) => ({
      member,
      origin,
      receivedMs,
      bytes: utf8(`${receivedMs}`),
    });
    await syncStates.put(state('a', ORIGIN, 2));
    await syncStates.put(state('a', ORIGIN, 1));
    await syncStates.put(state('b', ORIGIN, 1));
    await syncStates.put(state('a', OTHER, 7));
    await Promise.all(Array.from({ length: 20 }, (_, i) => syncStates.put(state('c', OTHER, i))));
    expect((await syncStates.get('a', ORIGIN))?.receivedMs).toBe(2);
    expect((await syncStates.get('c', OTHER))?.receivedMs).toBe(19);
    expect(await syncStates.get('d', OTHER)).toBeUndefined();
    expect((await syncStates.list({ origin: ORIGIN })).items.map(({ member }) => member)).toEqual(['a', 'b']);
    expect(await allPages((pageToken) => syncStates.list({ pageToken, pageSize: 1 }))).toHaveLength(4);
    await syncStates.drop('a', ORIGIN);
    await syncStates.drop('a', ORIGIN);
    expect((await syncStates.list({ origin: ORIGIN })).items.map(({ member }) => member)).toEqual(['b']);
  });

  use('never lets concurrent spends pass a limit together', async ({ budgets }) => {
    const spend = () => budgets.spend('hoster', 'lookup', 1, 3, 20);
    const results = await Promise.allSettled(Array.from({ length: 12 }, spend));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    expect(await budgets.spent('hoster', 'lookup', 1)).toBe(18);
    await expect(spend()).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
    expect(await budgets.spend('hoster', 'lookup', 1, 2, 20)).toBe(0);
    expect(await budgets.spend('hoster', 'lookup', 2, 5, 20)).toBe(15);
    expect(await budgets.spent('hoster', 'lookup', 1)).toBe(0);
    expect(await budgets.spent('other', 'lookup', 2)).toBe(0);
    await expect(budgets.spend('hoster', 'lookup', 2, -5, 20)).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  use('keeps parts, closes the set, and drops it', async ({ parts }, reopen) => {
    const key = { space: 'snapshot', name: ORIGIN, version: 500 } as const;
    await parts.putPart(key, 0, utf8('zero'));
    await parts.putPart(key, 2, utf8('two'));
    await expect(parts.complete(key, 3, utf8(''))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await parts.putPart(key, 1, utf8('one'));
    await expect(parts.complete(key, 2, utf8(''))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await parts.index(key)).toBeUndefined();
    const index = await parts.complete(key, 3, utf8('body'));
    await expect(parts.putPart(key, 1, utf8('x'))).rejects.toMatchObject({ code: 'USAGE' });
    await parts.putPart({ ...key, version: 600 }, 0, utf8('open'));
    const after = reopen ? (await reopen()).parts : parts;
    expect(await after.index(key)).toEqual(index);
    expect(await after.versions('snapshot', ORIGIN)).toEqual([index]);
    expect((await collect(after.parts(key, 1))).map((part) => [part.number, text(part.bytes)])).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
    expect(text(await after.part(key, 0))).toBe('zero');
    await after.drop(key, { purge: true });
    expect(await after.index(key)).toBeUndefined();
    expect(await collect(after.parts(key))).toEqual([]);
    expect(text(await after.part({ ...key, version: 600 }, 0))).toBe('open');
  });
}
