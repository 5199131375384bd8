import fc from 'fast-check';
import { HashfedError } from '../../../sdk/core/index.js';

/** One way to spoil bytes. */
type Change = (bytes: Uint8Array) => Uint8Array;

const place = fc.nat({ max: 0xffff });
const LARGE = [
  [0xff, 0xff, 0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x08],
];

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.nat({ max: 255 })).map(
    ([at, byte]) =>
      (bytes: Uint8Array) =>
        bytes.map((old, i) => (i === at % bytes.length ? byte : old)),
  ),
  place.map((at) => (bytes: Uint8Array) => bytes.slice(0, at % (bytes.length + 1))),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 12 })).map(
    ([at, more]) =>
      (bytes: Uint8Array) =>
        splice(bytes, at, 0, more),
  ),
  fc.tuple(place, fc.constantFrom(...LARGE)).map(
    ([at, large]) =>
      (bytes: Uint8Array) =>
        splice(bytes, at, large.length, Uint8Array.from(large)),
  ),
  fc.tuple(place, fc.nat({ max: 64 })).map(
    ([at, length]) =>
      (bytes: Uint8Array) =>
        splice(bytes, at, length, new Uint8Array()),
  ),
  fc.tuple(place, place, fc.nat({ max: 64 })).map(
    ([from, to, length]) =>
      (bytes: Uint8Array) =>
        splice(bytes, to, 0, bytes.slice(from % (bytes.length + 1)).subarray(0, length)),
  ),
);

function splice(bytes: Uint8Array, where: number, drop: number, more: Uint8Array): Uint8Array {
  const at = where % (bytes.length + 1);
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + drop)]));
}

/** Seeds with one to six changes, and now and then bytes out of nothing. */
export function spoiled(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const bent = fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 6 }))
    .map(([seed, changes]) =>
      changes.reduce((bytes, one) => (bytes.length === 0 ? bytes : one(bytes)), seed),
    );
  return fc.oneof(
    { weight: 9, arbitrary: bent },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  );
}

/** A parser may refuse with one of our codes; anything else that it throws is a fault of the parser. */
export async function survives(parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array): Promise<void> {
  try {
    await parse(bytes);
  } catch (error) {
    if (!(error instanceof HashfedError) || error.code === 'INTERNAL') throw error;
  }
}
