/** Stored layouts of heads, segments and links. */
import { HashfedError } from '../../../sdk/core/index.js';
import { ValueReader, ValueWriter } from '../codec.js';
import { idBytes, keyOf } from '../keys.js';
import { MAX_BODY_PART_BYTES } from '../limits.js';
import type { Head, Segment } from '../types.js';

/** open → finished → committed; dropped from either of the first two. */
export const SegmentState = { open: 0, finished: 1, committed: 2, dropped: 3 } as const;

export interface SegmentRow extends Segment {
  readonly state: number;
}

/** Where a committed range of an origin lies. */
export interface Link {
  readonly from: number;
  readonly to: number;
  readonly segment: string;
}

export const headKey = (origin: string): Uint8Array => keyOf('head', origin);
export const linkKey = (origin: string, from: number): Uint8Array => keyOf('link', origin, { u64: from });
export const segmentKey = (id: string): Uint8Array => keyOf('segment', idBytes(id));
export const bundleKey = (id: string, first: number): Uint8Array =>
  keyOf('bundle', idBytes(id), { u64: first });
export const tileKey = (id: string, level: number, index: number): Uint8Array =>
  keyOf('tile', idBytes(id), { u8: level }, { u64: index });

/** Begins `u64 size | 32 B root`: backends copy these 40 bytes into what they keep outside the database. */
export function encodeHead(head: Head): Uint8Array {
  if (head.state.length > MAX_BODY_PART_BYTES) {
    throw new HashfedError('MALFORMED', 'the state of a head is over 1 MiB', { field: 'state' });
  }
  return new ValueWriter()
    .u64(head.size)
    .fixed(head.root)
    .u64(head.revision)
    .hashes(head.compactRange)
    .blob(head.note)
    .blob(head.anchor)
    .blob(head.state)
    .finish();
}

export function decodeHead(origin: string, bytes: Uint8Array): Head {
  const r = new ValueReader(bytes, 'head');
  const size = r.u64();
  const root = r.fixed(32);
  const revision = r.u64();
  const compactRange = r.hashes();
  const head = {
    origin,
    size,
    root,
    revision,
    compactRange,
    note: r.blob(),
    anchor: r.blob(),
    state: r.blob(),
  };
  r.end();
  return head;
}

/** Size and root of an encoded head. */
export function summariseHead(bytes: Uint8Array): { size: number; root: Uint8Array } {
  const r = new ValueReader(bytes, 'head');
  return { size: r.u64(), root: r.fixed(32) };
}

export function encodeSegment(row: SegmentRow): Uint8Array {
  return new ValueWriter()
    .u8(row.state)
    .text(row.origin)
    .u64(row.from)
    .u64(row.to)
    .fixed(row.fromRoot)
    .fixed(row.root)
    .hashes(row.compactRange)
    .fixed(row.digest)
    .u64(row.createdMs)
    .finish();
}

export function decodeSegment(id: string, bytes: Uint8Array): SegmentRow {
  const r = new ValueReader(bytes, 'segment');
  const state = r.u8();
  const origin = r.text();
  const [from, to, fromRoot, root] = [r.u64(), r.u64(), r.fixed(32), r.fixed(32)];
  const row = { id, state, origin, from, to, fromRoot, root };
  const rest = { compactRange: r.hashes(), digest: r.fixed(32), createdMs: r.u64() };
  r.end();
  return { ...row, ...rest };
}

export function encodeLink({ to, segment }: Link): Uint8Array {
  return new ValueWriter().u64(to).fixed(idBytes(segment)).finish();
}

export function decodeLink(from: number, bytes: Uint8Array): Link {
  const r = new ValueReader(bytes, 'link');
  const link = { from, to: r.u64(), segment: Buffer.from(r.fixed(16)).toString('hex') };
  r.end();
  return link;
}

/** Bundles and parts of tiles are stored as `u32 count | bytes`. */
export function encodeCounted(count: number, bytes: Uint8Array): Uint8Array {
  return new ValueWriter().u32(count).fixed(bytes).finish();
}

export function decodeCounted(kind: string, value: Uint8Array): { count: number; bytes: Uint8Array } {
  const r = new ValueReader(value, kind);
  return { count: r.u32(), bytes: r.fixed(value.length - 4) };
}
