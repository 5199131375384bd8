import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  Caller,
  type Directory,
  DirectoryHolder,
  type MemberRecord,
  MemoryBudgets,
  type RpcRule,
  ruleFor,
} from '../../../server/access/index.js';

const NOW = 1_000_000;
const any: RpcRule = { roles: 'any' };
const identity = { federation: 'f', member: 'a', notBeforeMs: 0, notAfterMs: 2 * NOW };
const record = (more: Partial<MemberRecord> = {}): MemberRecord => ({
  name: 'a',
  roles: new Set(['hoster']),
  status: 'active',
  validFromMs: 0,
  validUntilMs: Number.POSITIVE_INFINITY,
  readableLists: new Set(),
  domains: new Set(),
  ...more,
});
const directory = (member?: MemberRecord, more: Partial<Directory> = {}): Directory => ({
  federation: 'f',
  version: 1,
  expiresMs: 2 * NOW,
  development: true,
  member: (name) => (name === 'a' ? member : undefined),
  ...more,
});
const caller = (held: Directory, rule = any) => {
  const holder = new DirectoryHolder(held);
  return { holder, caller: new Caller(identity, holder, rule) };
};
const thrown = (code: string) => expect.objectContaining({ code });

describe('Caller.check', () => {
  it.each([
    ['active', record(), undefined],
    ['unknown', undefined, 'UNKNOWN_MEMBER'],
    ['suspended', record({ status: 'suspended' }), 'NOT_ENTITLED'],
    ['revoked', record({ status: 'revoked' }), 'NOT_ENTITLED'],
    ['future', record({ validFromMs: NOW + 1 }), 'NOT_ENTITLED'],
    ['ended', record({ validUntilMs: NOW }), 'NOT_ENTITLED'],
    ['wrong role', record({ roles: new Set(['monitor']) }), 'NOT_ENTITLED'],
    ['undated', record({ validUntilMs: Number.NaN }), 'NOT_ENTITLED'],
  ])('%s', (_name, member, code) => {
    const check = () => caller(directory(member), { roles: ['hoster', 'hotline'] }).caller.check(NOW);
    if (code === undefined) check();
    else expect(check).toThrow(thrown(code));
  });

  it('an expired directory admits only what replaces it', () => {
    const expired = directory(record({ roles: new Set(['operator']) }), { expiresMs: NOW });
    expect(() => caller(expired).caller.check(NOW)).toThrow(thrown('STALE'));
    caller(expired, ruleFor('/hashfed.v1.DirectoryService/PutDirectory')).caller.check(NOW);
    caller(expired, ruleFor('/hashfed.v1.DirectoryService/GetDirectory')).caller.check(NOW);
  });

  it('a certificate past its end admits nobody', () => {
    expect(() => caller(directory(record(), { expiresMs: 9 * NOW })).caller.check(2 * NOW)).toThrow(
      thrown('NOT_AUTHENTICATED'),
    );
  });

  it('answers from the directory in force, also between checks', () => {
    const { holder, caller: one } = caller(directory(record({ readableLists: new Set(['d/c/md5']) })));
    one.check(NOW);
    expect(one.mayRead('d/c/md5/g1')).toBe(true);
    holder.replace(directory(record()));
    expect(one.mayRead('d/c/md5/g1')).toBe(false);
    holder.replace(directory(record({ status: 'revoked' })));
    expect(() => one.mayRead('d/c/md5/g1')).toThrow(thrown('NOT_ENTITLED'));
    expect(() => one.check(NOW)).toThrow(thrown('NOT_ENTITLED'));
    holder.replace(directory(undefined));
    expect(() => one.requireRole('hoster')).toThrow(thrown('UNKNOWN_MEMBER'));
  });
});

describe('lists', () => {
  it.each([
    ['d/c/sha256', 'd/c/sha256/g1', true],
    ['d/c/sha256', 'd/c/sha256', true],
    ['d/c/*', 'd/c/sha256/g2', true],
    ['d/*', 'd/other/md5/g1', true],
    ['*', 'x/y/md5/g1', true],
    ['d/c/sha256', 'd/c/sha1/g1', false],
    ['d/c/*', 'd/c2/sha256/g1', false],
    ['d/*', 'd2/c/sha256/g1', false],
    ['d/c', 'd/c/sha256/g1', false],
    ['d/c/sha256', 'D/c/sha256/g1', false],
    ['d/c/sha256', '', false],
  ])('%s lets read %s: %s', (granted, origin, expected) => {
    const { caller: one } = caller(directory(record({ readableLists: new Set([granted]) })));
    expect(one.mayRead(origin)).toBe(expected);
    if (expected) one.requireReadable(origin);
    else expect(() => one.requireReadable(origin)).toThrow(thrown('NOT_ENTITLED'));
  });

  it('a publisher reads and publishes under its own domains only', () => {
    const publisher = record({ roles: new Set(['publisher']), domains: new Set(['d']) });
    const { caller: one } = caller(directory(publisher));
    one.requirePublisherOf('d/c/sha256/g1');
    one.requireReadable('d/c/sha256/g1');
    expect(() => one.requirePublisherOf('e/c/sha256/g1')).toThrow(thrown('NOT_ENTITLED'));
    expect(() => one.requirePublisherOf('d.evil/c/sha256/g1')).toThrow(thrown('NOT_ENTITLED'));
    const former = caller(directory(record({ domains: new Set(['d']) }))).caller;
    expect(() => former.requirePublisherOf('d/c/sha256/g1')).toThrow(thrown('NOT_ENTITLED'));
    expect(former.mayRead('d/c/sha256/g1')).toBe(false);
  });
});

describe('rules', () => {
  it('stand for every method of every generated service', async () => {
    const folder = new URL('../../../proto/gen/hashfed/v1/', import.meta.url);
    const paths: string[] = [];
    for (const file of readdirSync(folder).filter((name) => name.endsWith('_service.ts'))) {
      const generated = (await import(new URL(file, folder).href)) as Record<
        string,
        Record<string, { path?: string }>
      >;
      for (const [name, service] of Object.entries(generated))
        if (name.endsWith('Service'))
          for (const { path } of Object.values(service)) if (path) paths.push(path);
    }
    expect(paths.length).toBeGreaterThan(50);
    const onOwnPort = ['SubmitCsr', 'AwaitCertificate'];
    const without = paths.filter((path) => {
      try {
        ruleFor(path);
        return false;
      } catch {
        return true;
      }
    });
    expect(without.map((path) => path.split('/').at(-1)).sort()).toEqual(onOwnPort.sort());
  });

  it.each([
    '',
    '/x',
    '/hashfed.v1.ListService/',
    '/hashfed.v1.__proto__/toString',
    '/hashfed.v1.ListService/toString',
  ])('there is none for %j', (path) => {
    expect(() => ruleFor(path)).toThrow(thrown('INTERNAL'));
  });
});

describe('MemoryBudgets', () => {
  it('spends, refuses with a wait, and refills', () => {
    let now = 0;
    const clock = { nowMs: () => now, monotonicMs: () => now };
    const budgets = new MemoryBudgets(clock, { lookup: { burst: 100, perSecond: 10 } });
    budgets.spend('a', 'lookup', 90);
    expect(() => budgets.spend('a', 'lookup', 20)).toThrow(
      expect.objectContaining({
        code: 'BUDGET_EXCEEDED',
        detail: expect.objectContaining({ retryAfterMs: 1_000 }),
      }),
    );
    budgets.spend('b', 'lookup', 100);
    now = 1_000;
    budgets.spend('a', 'lookup', 20);
    expect(() => budgets.spend('a', 'lookup', 1)).toThrow(thrown('BUDGET_EXCEEDED'));
    now = 1_000_000;
    expect(() => budgets.spend('a', 'lookup', 101)).toThrow(thrown('BUDGET_EXCEEDED'));
    budgets.spend('a', 'lookup', 100);
    budgets.spend('a', 'upload', 1e9);
  });
});
