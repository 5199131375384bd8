import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { Mandate, Order } from '../../../proto/gen/hashfed/v1/authority.js';
import { Case } from '../../../proto/gen/hashfed/v1/case.js';
import { MemberDirectory } from '../../../proto/gen/hashfed/v1/directory.js';
import { DsseEnvelope } from '../../../proto/gen/hashfed/v1/dsse.js';
import { SignedBatch, SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import {
  GetSnapshotIndexResponse,
  PullEntriesResponse,
  PullSnapshotResponse,
} from '../../../proto/gen/hashfed/v1/list.js';
import { Notice, Observation } from '../../../proto/gen/hashfed/v1/notice.js';
import { PrepareBatchResponse } from '../../../proto/gen/hashfed/v1/publish.js';
import { BlindedSet, LookupHashesResponse } from '../../../proto/gen/hashfed/v1/query.js';
import { PublisherRoot } from '../../../proto/gen/hashfed/v1/root.js';
import { Freshness, Liveness } from '../../../proto/gen/hashfed/v1/statements.js';
import { JournalEntry } from '../../../proto/gen/hashfed/v1/store.js';
import { Receipt, TelemetryReport } from '../../../proto/gen/hashfed/v1/telemetry.js';
import { loadFromSource, PROTO_FOLDER } from './descriptors.js';

/** The part of a ts-proto codec that is compared. */
interface Codec {
  encode(message: never): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
}

const CODECS: Record<string, Codec> = {
  BlindedSet,
  Case,
  DsseEnvelope,
  Freshness,
  GetSnapshotIndexResponse,
  JournalEntry,
  Liveness,
  LookupHashesResponse,
  Mandate,
  MemberDirectory,
  Notice,
  Observation,
  Order,
  PrepareBatchResponse,
  PublisherRoot,
  PullEntriesResponse,
  PullSnapshotResponse,
  Receipt,
  SignedBatch,
  SigningRequest,
  TelemetryReport,
};

const files = readdirSync(`${PROTO_FOLDER}hashfed/v1`).map((name) => `hashfed/v1/${name}`);
const root = loadFromSource(files);

/** Random values of one message in ts-proto's shape; nested messages may be absent. */
function messageOf(type: protobuf.Type): fc.Arbitrary<Record<string, unknown>> {
  const fields = type.fieldsArray.map((field) => {
    const one = fieldValues(field);
    if (field.repeated) return [field.name, fc.array(one, { maxLength: 3 })] as const;
    const nested = field.resolvedType instanceof protobuf.Type;
    return [field.name, nested ? fc.option(one, { nil: undefined }) : one] as const;
  });
  return fc.record(Object.fromEntries(fields));
}

function fieldValues(field: protobuf.Field): fc.Arbitrary<unknown> {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) return messageOf(resolvedType);
  if (resolvedType instanceof protobuf.Enum) return fc.constantFrom(...Object.values(resolvedType.values));
  switch (field.type) {
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 12 });
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 });
    case 'bool':
      return fc.boolean();
    case 'uint32':
      return fc.nat(2 ** 31 - 1).map((n) => (n % 3 === 0 ? 2 ** 32 - 1 - n : n));
    case 'uint64':
      return fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constantFrom(0n, 1n, 2n ** 53n - 1n, 2n ** 64n - 1n));
    default:
      throw new Error(`no values for ${field.type}`);
  }
}

/** ts-proto's shape to what protobufjs takes: 64-bit numbers as decimal text, absent messages left out. */
function forProtobufjs(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(forProtobufjs);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(kept.map(([name, inner]) => [name, forProtobufjs(inner)]));
}

/** Sets what equals the default to absent, as ts-proto writes it. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const kept = Object.entries(value).filter(
    ([, inner]) =>
      !(
        inner === 0 ||
        inner === '' ||
        inner === '0' ||
        inner === false ||
        (inner as { length?: number }).length === 0
      ),
  );
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutDefaults(inner)]));
}

/** Either side's values in one form: bytes as hex, 64-bit numbers as decimal text, defaults left out. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, comparable(inner)]));
}

describe.each(Object.entries(CODECS))('%s', (name, codec) => {
  const type = root.lookupType(`hashfed.v1.${name}`);
  const plain: protobuf.IConversionOptions = { longs: String };

  it('reads and writes the same bytes as protobufjs', () => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const ours = codec.encode(message as never).finish();
        const sparse = withoutDefaults(forProtobufjs(message)) as Record<string, unknown>;
        const expected = comparable(sparse);
        const theirs = type.encode(type.fromObject(sparse)).finish();
        expect(Buffer.from(ours).equals(theirs)).toBe(true);
        expect(comparable(withoutDefaults(type.toObject(type.decode(ours), plain)))).toEqual(expected);
        expect(comparable(withoutDefaults(forProtobufjs(codec.decode(theirs))))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('writes canonically: what it read is written the same again, unknown fields left out', () => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const bytes = codec.encode(message as never).finish();
        expect(codec.encode(codec.decode(bytes) as never).finish()).toEqual(bytes);
        const unknown = Buffer.concat([bytes, Buffer.from([0xfa, 0x3e, 1, 0])]);
        expect(codec.encode(codec.decode(unknown) as never).finish()).toEqual(bytes);
      }),
      { numRuns: 30 },
    );
  });
});
