import {
  compareBytes,
  concat,
  decodeLeaf,
  encodeRecord,
  type Leaf,
  type Origin,
  type RecordView,
  toHex,
} from '../../sdk/core/index.js';
import { testSha256 } from './sha256.js';

/** Big-endian, by another route than the code under test. */
function be(value: number, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let left = BigInt(value);
  for (let i = bytes - 1; i >= 0; i--, left >>= 8n) out[i] = Number(left & 255n);
  return out;
}

const text = (t: string) => new TextEncoder().encode(t);

/** Sorted canonical records, concatenated. */
export function naiveRows(records: readonly RecordView[]): Uint8Array[] {
  const order = (a: RecordView, b: RecordView) => compareBytes(a.hash, b.hash) || a.addIndex - b.addIndex;
  return [...records].sort(order).map(encodeRecord);
}

/** The set digest straight from its definition: every bucket, every record. */
export function naiveDigest(
  bits: number,
  records: readonly RecordView[],
  holds: readonly { index: number; from: number; to: number; reason: number; untilMs: number }[],
): string {
  const buckets: Uint8Array[][] = Array.from({ length: 2 ** bits }, () => []);
  for (const row of naiveRows(records)) buckets[((row[0]! << 8) | row[1]!) >>> (16 - bits)]!.push(row);
  const digests = buckets.map((rows, b) => testSha256.digest(text('hashfed-bucket/1\n'), be(b, 4), ...rows));
  const held = holds.flatMap((h) => [
    be(h.index, 8),
    be(h.from, 8),
    be(h.to, 8),
    be(h.reason, 1),
    be(h.untilMs, 8),
  ]);
  const head = concat(text('hashfed-set/1\n'), be(bits, 1));
  return toHex(testSha256.digest(head, ...digests, be(holds.length, 4), ...held));
}

/** Live records after plain leaves (no erasure), by a Map: slow and obvious. */
export function naiveReplay(origin: Origin, leaves: readonly Uint8Array[], hashType: number): RecordView[] {
  const live = new Map<number, RecordView>();
  leaves.forEach((bytes, index) => {
    let leaf: Leaf;
    try {
      leaf = decodeLeaf(bytes);
    } catch {
      return;
    }
    if (origin.type === 'events') return;
    if (leaf.kind === 'add' && leaf.hashType === hashType) {
      const { hash, timeMs: listedMs, itemId, scheme, code, verifications, meta } = leaf;
      const at = { addIndex: index, lastIndex: index, listedMs };
      live.set(index, { hash, ...at, itemId, scheme, code, verifications, meta });
    } else if (leaf.kind === 'withdraw') live.delete(leaf.targetIndex);
    else if (leaf.kind === 'amend') {
      const old = live.get(leaf.targetIndex);
      const { scheme, code, verifications, meta } = leaf;
      if (old !== undefined)
        live.set(leaf.targetIndex, { ...old, lastIndex: index, scheme, code, verifications, meta });
    }
  });
  return [...live.values()];
}
