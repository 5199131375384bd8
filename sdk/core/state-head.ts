import { ByteReader, ByteWriter } from './byte-io.js';
import { malformed } from './errors.js';
import type { Hold } from './holds.js';
import { MAX_BUCKET_BITS } from './limits.js';
import { RunningCounts } from './running-counts.js';
import { NO_SEALS, type SealChain } from './seal-chain.js';
import { fromUtf8, utf8 } from './utf8.js';

/** The last good SEAL: what a state rests on. */
export interface HeadSeal {
  readonly index: number;
  readonly batchNo: number;
  readonly timeMs: number;
  readonly publishId: Uint8Array;
  readonly setCount: number;
  readonly bucketBits: number;
  readonly setDigest: Uint8Array;
}

/** All that continuing a list needs beside its records. */
export interface StateHead {
  readonly origin: string;
  /** SEAL index + 1; 0 before the first. */
  readonly size: number;
  readonly seal: HeadSeal | undefined;
  /** Those in effect, ascending by index. */
  readonly holds: readonly Hold[];
  readonly counts: RunningCounts;
}

const HEAD_VERSION = 1;
const MAX_ENTRIES = 10_000_000;

/** A head for a snapshot taken at this SEAL: counting starts here. */
export function headAtSeal(origin: string, seal: HeadSeal, holds: readonly Hold[]): StateHead {
  const counts = new RunningCounts();
  counts.mark(seal.index + 1, seal.timeMs, seal.setCount);
  return { origin, size: seal.index + 1, seal, holds, counts };
}

/** The chain that the next SEAL continues. A good SEAL fixes all of it. */
export function chainOfHead(head: StateHead): SealChain {
  const { seal } = head;
  if (seal === undefined) return NO_SEALS;
  const { batchNo: count, index: prevIndex, timeMs: maxTimeMs, bucketBits } = seal;
  return { count, prevIndex, maxTimeMs, bucketBits };
}

/** `u8 1 | u16 n | origin | u8 sealed | seal | holds | counts`: docs/spec/list-format.md, "State heads". */
export function encodeStateHead(head: StateHead): Uint8Array {
  const origin = utf8(head.origin);
  const out = new ByteWriter().u8(HEAD_VERSION).u16(origin.length).put(origin);
  out.u8(head.seal === undefined ? 0 : 1);
  if (head.seal !== undefined) putSeal(out, head.seal);
  out.u32(head.holds.length);
  for (const h of head.holds) out.u53(h.index).u53(h.from).u53(h.to).u8(h.reason).u53(h.untilMs);
  putCounts(out, head.counts);
  return out.done();
}

function putSeal(out: ByteWriter, seal: HeadSeal): void {
  out.u53(seal.index).u53(seal.batchNo).u53(seal.timeMs).put(seal.publishId);
  out.u53(seal.setCount).u8(seal.bucketBits).put(seal.setDigest);
}

function putCounts(out: ByteWriter, counts: RunningCounts): void {
  out.u53(counts.added).u53(counts.readded).u53(counts.amended).u53(counts.withdrawn);
  out.u32(counts.marks.length).u53(counts.below[0]!);
  counts.marks.forEach((m, k) => {
    out.u53(m.size).u53(m.timeMs).u53(m.setCount);
    out.u53(m.added).u53(m.readded).u53(m.amended).u53(m.withdrawn);
    out.u53(counts.below[k + 1]!);
  });
  out.u32(counts.held.length);
  for (const range of counts.held) out.u53(range.index).u53(range.from).u53(range.to).u53(range.atMs);
}

/** Throws `MALFORMED`, also on an unknown version. */
export function decodeStateHead(bytes: Uint8Array): StateHead {
  const reader = new ByteReader(bytes, 'state head');
  if (reader.u8() !== HEAD_VERSION) malformed('state head', 'is of an unknown version');
  const origin = fromUtf8(reader.take(reader.u16()), 'state head');
  const seal = reader.u8() === 0 ? undefined : takeSeal(reader);
  const holds = takeMany(reader, () => takeHold(reader));
  const counts = takeCounts(reader);
  reader.end();
  return { origin, size: seal === undefined ? 0 : seal.index + 1, seal, holds, counts };
}

function takeMany<T>(reader: ByteReader, take: () => T): T[] {
  const n = reader.u32();
  if (n > MAX_ENTRIES) malformed('state head', 'holds too much');
  const out: T[] = [];
  for (let i = 0; i < n; i++) out.push(take());
  return out;
}

function takeSeal(reader: ByteReader): HeadSeal {
  const at = { index: reader.u53(), batchNo: reader.u53(), timeMs: reader.u53(), publishId: reader.take(16) };
  const set = { setCount: reader.u53(), bucketBits: reader.u8(), setDigest: reader.take(32) };
  if (set.bucketBits > MAX_BUCKET_BITS) malformed('state head', 'bucket_bits is out of range');
  return { ...at, ...set };
}

function takeHold(reader: ByteReader): Hold {
  const range = { index: reader.u53(), from: reader.u53(), to: reader.u53() };
  return { ...range, reason: reader.u8(), untilMs: reader.u53() };
}

function takeCounts(reader: ByteReader): RunningCounts {
  const counts = new RunningCounts();
  const totals = [reader.u53(), reader.u53(), reader.u53(), reader.u53()] as const;
  const n = reader.u32();
  if (n > MAX_ENTRIES) malformed('state head', 'holds too much');
  counts.below[0] = reader.u53();
  for (let k = 0; k < n; k++) {
    const at = { size: reader.u53(), timeMs: reader.u53(), setCount: reader.u53() };
    const sums = {
      added: reader.u53(),
      readded: reader.u53(),
      amended: reader.u53(),
      withdrawn: reader.u53(),
    };
    counts.marks.push({ ...at, ...sums });
    counts.below.push(reader.u53());
  }
  const range = () => ({ index: reader.u53(), from: reader.u53(), to: reader.u53(), atMs: reader.u53() });
  for (const held of takeMany(reader, range)) counts.held.push(held);
  [counts.added, counts.readded, counts.amended, counts.withdrawn] = totals;
  return counts;
}
