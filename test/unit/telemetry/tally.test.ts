import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type TelemetryCounts, TelemetryReport } from '../../../proto/gen/hashfed/v1/telemetry.js';
import type { Verdict } from '../../../sdk/match/index.js';
import {
  type CountedWindow,
  foldCounts,
  isEmpty,
  makeReport,
  NO_COVERAGE,
  parseReport,
  type TalliedObject,
  tallyObject,
  windowAt,
} from '../../../sdk/telemetry/index.js';
import { LIST, matchOf, NOON, verdictOf } from '../../support/telemetry.js';

const publisherOf = (origin: string) => (origin.startsWith('police.') ? 'members/police' : undefined);

function count(objects: readonly TalliedObject[]): CountedWindow {
  const counts = new Map<string, number>();
  const members = new Map<string, Set<string>>();
  for (const step of objects.flatMap((one) => tallyObject(one, publisherOf))) {
    if (step.kind === 'add') counts.set(step.name, (counts.get(step.name) ?? 0) + step.n);
    else
      members.set(
        step.set,
        (members.get(step.set) ?? new Set()).add(Buffer.from(step.member).toString('hex')),
      );
  }
  return { counts, distinct: new Map([...members].map(([set, all]) => [set, all.size])) };
}

const objectsIn = ({ objects }: TelemetryCounts) => objects.reduce((all, cell) => all + cell.count, 0n);

const match = fc
  .record({
    origin: fc.constantFrom(LIST, 'police.example/known/md5/g1', 'hotline.example/known/pdq/g1'),
    hash_type: fc.constantFrom('md5' as const, 'sha256' as const, 'pdq' as const),
    bucket: fc.integer({ min: 2, max: 7 }),
    item_id: fc.constantFrom('11'.repeat(16), '22'.repeat(16)),
  })
  .map(matchOf);
const object: fc.Arbitrary<TalliedObject> = fc.record({
  verdict: fc
    .tuple(
      fc.constantFrom<Verdict['action']>('none', 'allow', 'test', 'hold', 'block'),
      fc.array(match, { maxLength: 4 }),
      fc.boolean(),
      fc.boolean(),
    )
    .map(([action, matches, observed, collision]) =>
      verdictOf(action, matches, {
        ...(observed && { observed: true as const }),
        ...(collision && { collision: true as const, vetoed_by: 'known-good' as const }),
      }),
    ),
  bytes: fc.integer({ min: 0, max: 1000 }),
});

describe('counting', () => {
  test('puts every object into exactly one cell, and its bytes into one sum', () => {
    fc.assert(
      fc.property(fc.array(object), (objects) => {
        const window = count(objects);
        const [figures, drill] = [foldCounts(window, 'figures', 'day'), foldCounts(window, 'drill', 'day')];
        expect(objectsIn(figures) + objectsIn(drill)).toBe(BigInt(objects.length));
        const bytes = objects.reduce((all, one) => all + one.bytes, 0);
        expect(figures.bytes + drill.bytes).toBe(BigInt(bytes));
        const hour = foldCounts(window, 'figures', 'hour');
        expect(objectsIn(hour)).toBe(objectsIn(figures));
      }),
    );
  });

  test('always makes a report that a server takes', () => {
    fc.assert(
      fc.property(fc.array(object), fc.constantFrom('day' as const, 'hour' as const), (objects, unit) => {
        const slot = { id: 'ab'.repeat(16), sequence: 1, previous: new Uint8Array(32), revision: 1 };
        const facts = {
          member: 'members/h',
          sdkVersion: '1',
          policySha256: new Uint8Array(32),
          coverage: NO_COVERAGE,
        };
        const report = makeReport(facts, windowAt(unit, NOON), count(objects), slot, NOON);
        expect(parseReport(TelemetryReport.encode(report).finish()).report).toEqual(report);
      }),
    );
  });

  test('does not depend on the order of objects', () => {
    fc.assert(
      fc.property(fc.array(object), fc.integer(), (objects, seed) => {
        const shuffled = [...objects].sort(
          (a, b) => ((a.bytes * 31 + seed) % 97) - ((b.bytes * 31 + seed) % 97),
        );
        expect(foldCounts(count(shuffled), 'figures', 'day')).toEqual(
          foldCounts(count(objects), 'figures', 'day'),
        );
      }),
    );
  });

  test('of a whole is the sum of its parts, cell by cell', () => {
    const sums = (counts: TelemetryCounts) =>
      new Map([
        ...counts.objects.map((c) => [`${c.action} ${c.classification} ${c.match}`, c.count] as const),
        ...counts.listHits.map((h) => [h.origin, h.exact * 1_000_000n + h.perceptual] as const),
        ['bytes', counts.bytes] as const,
        ['quarantines', counts.quarantines] as const,
        ['vetoes', counts.vetoes] as const,
      ]);
    fc.assert(
      fc.property(fc.array(object), fc.array(object), (a, b) => {
        const whole = sums(foldCounts(count([...a, ...b]), 'figures', 'day'));
        const parts = [a, b].map((part) => sums(foldCounts(count(part), 'figures', 'day')));
        for (const [name, n] of whole)
          expect((parts[0]!.get(name) ?? 0n) + (parts[1]!.get(name) ?? 0n)).toBe(n);
      }),
    );
  });

  test('takes the strongest classification and calls a match exact where any hash was', () => {
    const weak = matchOf({ bucket: 5, hash_type: 'pdq', origin: 'hotline.example/known/pdq/g1' });
    const { objects, listHits } = foldCounts(
      count([{ verdict: verdictOf('hold', [weak, matchOf()]), bytes: 1 }]),
      'figures',
      'day',
    );
    expect(objects).toEqual([{ action: 4, classification: 7, match: 3, count: 1n }]);
    expect(listHits).toEqual([
      { origin: 'hotline.example/known/pdq/g1', exact: 0n, perceptual: 1n },
      { origin: LIST, exact: 1n, perceptual: 0n },
    ]);
  });

  test('keeps test items apart, and counts an item once however often it matches', () => {
    const test = {
      verdict: verdictOf('test', [matchOf({ bucket: 2, origin: 'dev.example/selftest/sha256/g1' })]),
      bytes: 9,
    };
    const real = { verdict: verdictOf('block', [matchOf()]), bytes: 5 };
    const window = count([test, real, real]);
    const figures = foldCounts(window, 'figures', 'day');
    expect(figures).toMatchObject({ bytes: 10n, quarantines: 2n });
    expect(figures.distinctItems).toEqual([{ publisher: 'members/police', items: 1n }]);
    expect(foldCounts(window, 'drill', 'day')).toMatchObject({ bytes: 9n, quarantines: 1n });
    expect(isEmpty(foldCounts(count([real]), 'drill', 'day'))).toBe(true);
  });

  test('calls what was only observed let pass, and quarantines nothing of it', () => {
    const seen = verdictOf('block', [matchOf()], { observed: true });
    const { objects, quarantines } = foldCounts(count([{ verdict: seen, bytes: 1 }]), 'figures', 'day');
    expect(objects[0]?.action).toBe(2);
    expect(quarantines).toBe(0n);
  });
});
