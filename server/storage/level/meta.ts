/** The meta row: which generation the database is at, and what every table sums to. Written with every batch. */
import { createHash } from 'node:crypto';
import { ValueReader, ValueWriter } from '../codec.js';
import { keyOf } from '../keys.js';
import { Sums } from './sums.js';

export const META_KEY = keyOf('meta');

export interface Meta {
  readonly store: string;
  /** One more than the batch before; 0 for a new store. */
  readonly generation: number;
  /** `digestOfHeads` of the generation before. */
  readonly previous: Uint8Array;
  readonly sums: Sums;
}

export function encodeMeta({ store, generation, previous, sums }: Meta): Uint8Array {
  const writer = new ValueWriter().fixed(Buffer.from(store, 'hex')).u64(generation).fixed(previous);
  sums.encode(writer);
  return writer.finish();
}

export function decodeMeta(bytes: Uint8Array): Meta {
  const r = new ValueReader(bytes, 'meta');
  const store = Buffer.from(r.fixed(16)).toString('hex');
  const meta = { store, generation: r.u64(), previous: r.fixed(32), sums: Sums.decode(r) };
  r.end();
  return meta;
}

export function digestOfMeta(meta: Meta): string {
  return createHash('sha256').update(encodeMeta(meta)).digest('hex');
}
