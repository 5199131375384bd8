import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../sdk/core/index.js';
import {
  type Candidate,
  type DecideInput,
  decide,
  type ItemHash,
  type ListInfo,
  parsePolicy,
} from '../../../sdk/match/index.js';

type Fields = Record<string, unknown>;
interface Row {
  readonly name: string;
  readonly policy?: unknown;
  readonly matches: readonly Fields[];
  readonly lists?: Record<string, Fields>;
  readonly computed?: Record<string, string>;
  readonly expect: Fields;
}

const folder = new URL('../../vectors/verdict/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
const defaults = read('defaults.json') as {
  now: number;
  match: Fields;
  list: Fields;
  lists: Record<string, string>;
};

/** `…HoursAgo` becomes the field of the same name in milliseconds; null is left out. */
function times(fields: Fields, names: Record<string, string>): Fields {
  const entries = Object.entries(fields).flatMap(([key, value]) => {
    if (value === null) return [];
    const field = names[key];
    return [field === undefined ? [key, value] : [field, defaults.now - (value as number) * 3_600_000]];
  });
  return Object.fromEntries(entries);
}

function toCandidate(fields: Fields): Candidate {
  const names = { listedHoursAgo: 'listedMs', arrivedHoursAgo: 'arrivedMs' };
  const plain = times({ ...defaults.match, ...fields }, names);
  const siblings = (plain['siblings'] as { hashType: ItemHash['hashType']; hash: string }[] | undefined)?.map(
    ({ hashType, hash }) => ({ hashType, hash: fromHex(hash) }),
  );
  return { ...plain, ...(siblings && { siblings }) } as unknown as Candidate;
}

function toInput(row: Row): DecideInput {
  const names = { freshHoursAgo: 'lastFreshMs', firstSyncHoursAgo: 'firstSyncMs' };
  const lists = Object.entries(defaults.lists).map(([origin, purpose]) => {
    const own = times({ ...defaults.list, ...row.lists?.[origin] }, names);
    return { origin, purpose, ...own } as unknown as ListInfo;
  });
  const computed = Object.fromEntries(
    Object.entries(row.computed ?? {}).map(([type, hex]) => [type, fromHex(hex)]),
  );
  return {
    matches: row.matches.map(toCandidate),
    computed,
    lists,
    policy: parsePolicy(row.policy),
    now: defaults.now,
  };
}

for (const name of readdirSync(folder).filter((n) => n.endsWith('.json') && n !== 'defaults.json')) {
  const { about, rows } = read(name) as { about: string; rows: Row[] };
  describe(about, () => {
    it.each(rows.map((row) => [row.name, row] as const))('%s', (_, row) => {
      const { matches, because, ...verdict } = decide(toInput(row));
      const { because: reasons = [], ...rest } = row.expect;
      expect({ ...verdict, because }).toEqual({ freshness: 'FRESH', ...rest, because: reasons });
      expect(matches.length > 0).toBe(verdict.action !== 'none');
    });
  });
}
