import { readdirSync, readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { expect, it } from 'vitest';
import * as classification from '../../../proto/gen/hashfed/v1/classification.js';
import * as enums from '../../../proto/gen/hashfed/v1/enums.js';
import { ErrorReason } from '../../../proto/gen/hashfed/v1/errors.js';
import { EventKind } from '../../../proto/gen/hashfed/v1/notice.js';
import { RootRole } from '../../../proto/gen/hashfed/v1/root.js';
import { ERROR_TABLE, GrpcStatus, HASH_TYPES } from '../../../sdk/core/index.js';
import { loadFromSource, PROTO_FOLDER } from './descriptors.js';

type Pinned = Record<string, Record<string, number>>;

const VECTOR = new URL('../../vectors/proto/enums.json', import.meta.url);
const pinned = JSON.parse(readFileSync(VECTOR, 'utf8')) as Pinned;
const files = readdirSync(`${PROTO_FOLDER}hashfed/v1`).map((name) => `hashfed/v1/${name}`);

function allEnums(): Pinned {
  const found: Pinned = {};
  const visit = (space: protobuf.NamespaceBase) => {
    for (const nested of space.nestedArray) {
      if (nested instanceof protobuf.Enum) found[nested.name] = { ...nested.values };
      else if (nested instanceof protobuf.Namespace) visit(nested);
    }
  };
  visit(loadFromSource(files).lookup('hashfed.v1') as protobuf.Namespace);
  return found;
}

it('pins every number of every enum, and leaves none out', () => {
  expect(allEnums()).toEqual(pinned);
});

const GENERATED = { ...enums, ...classification, ErrorReason, EventKind, RootRole };

it.each(Object.entries(GENERATED).filter(([, value]) => typeof value === 'object'))(
  'generated %s has the pinned numbers',
  (name, values) => {
    const prefix = `${name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_`;
    const expected = Object.entries(pinned[name] ?? {}).map(([key, number]) => [
      key.replace(prefix, ''),
      number,
    ]);
    expect(expected.length).toBeGreaterThan(1);
    expect(values).toEqual(Object.fromEntries(expected));
  },
);

it('has a reason for every code that may cross the network, and no other', () => {
  const local = ['USAGE', 'UNIMPLEMENTED', 'UNAVAILABLE', 'DEADLINE', 'CANCELLED', 'INTERNAL'];
  const codes = Object.keys(ERROR_TABLE).filter((code) => !local.includes(code));
  expect(
    Object.keys(ErrorReason)
      .filter((name) => name !== 'UNSPECIFIED')
      .sort(),
  ).toEqual(codes.sort());
});

it('numbers hash types as leaves do', () => {
  for (const [name, { number }] of Object.entries(HASH_TYPES)) {
    expect(enums.HashType[name.toUpperCase() as keyof typeof enums.HashType]).toBe(number);
  }
});

it('keeps every number that a leaf carries within one byte', () => {
  for (const name of [
    'HashType',
    'LeafKind',
    'Reason',
    'Scheme',
    'EventKind',
    ...Object.keys(pinned).filter((n) => /[a-z]Code$/.test(n)),
  ]) {
    for (const number of Object.values(pinned[name] ?? {})) expect(number).toBeLessThanOrEqual(255);
  }
});

const spec = (name: string) => readFileSync(new URL(`../../../docs/spec/${name}`, import.meta.url), 'utf8');

it.each([
  'HashType',
  'LeafKind',
  'Reason',
  'Scheme',
  'BaselineCode',
  'AgeActCode',
  'Classification',
  'EventKind',
])('documents every number of %s', (name) => {
  const section = spec('formats.md').split(`### ${name}\n`)[1]?.split('\n### ')[0] ?? '';
  const rows = [...section.matchAll(/^\| (\d+) \| (\w+) \|/gm)].map(([, number, key]) => [
    key,
    Number(number),
  ]);
  const prefix = `${name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_`;
  const expected = Object.entries(pinned[name] ?? {}).map(([key, number]) => [
    key.replace(prefix, ''),
    number,
  ]);
  expect(rows).toEqual(expected.filter(([, number]) => number !== 0));
});

it('documents every reason with the status of the error table', () => {
  const rows = [...spec('protocol.md').matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(([, reason, status]) => [
    reason,
    status,
  ]);
  const reasons = Object.keys(ErrorReason).filter((name) => name !== 'UNSPECIFIED');
  const statusOf = (number: number) => Object.entries(GrpcStatus).find(([, value]) => value === number)?.[0];
  expect(rows).toEqual(
    reasons.map((name) => [name, statusOf(ERROR_TABLE[name as keyof typeof ERROR_TABLE].status)]),
  );
});

it('gives every known scheme and code a classification', () => {
  const vector = new URL('../../vectors/proto/classification.json', import.meta.url);
  const { table } = JSON.parse(readFileSync(vector, 'utf8')) as {
    table: { scheme: number; code: number; classification: number }[];
  };
  const codes: [string, string][] = [
    ['SCHEME_BASELINE', 'BaselineCode'],
    ['SCHEME_NATIONAL', 'NationalCode'],
    ['SCHEME_AGE_ACT', 'AgeActCode'],
    ['SCHEME_VICS', 'VicsCode'],
    ['SCHEME_SENTENCING', 'SentencingCode'],
    ['SCHEME_KNOWN_GOOD', 'KnownGoodCode'],
    ['SCHEME_TEST', 'TestCode'],
  ];
  const known = codes.flatMap(([scheme, code]) =>
    Object.values(pinned[code] ?? {})
      .filter((number) => number !== 0)
      .map((number) => [pinned['Scheme']?.[scheme], number]),
  );
  expect(table.map(({ scheme, code }) => [scheme, code])).toEqual(known);
  expect(Object.keys(pinned['Scheme'] ?? {})).toHaveLength(codes.length + 1);
  for (const { classification: bucket } of table) {
    expect(Object.values<number>(classification.Classification)).toContain(bucket);
  }
});
