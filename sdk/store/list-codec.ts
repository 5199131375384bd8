import { BodyReader, BodyWriter, damaged } from './body.js';
import type { ColumnRef } from './column-writer.js';
import type { SegmentRef } from './segment.js';
import type { DeltaCommit, ListHead, StoredBundle } from './types.js';

/** The head file of a list: which base is valid, and its state. */
export interface HeadFile {
  readonly sequence: number;
  readonly origin: string;
  /** Directory of the base inside the list's directory. */
  readonly directory: string;
  readonly segment: SegmentRef;
  readonly logId: Uint8Array;
  readonly base: ListHead;
}

function putHead(body: BodyWriter, head: ListHead): BodyWriter {
  body.u64(head.size).bytes(head.root).bytes(head.checkpoint).bytes(head.anchor);
  body.bytes(head.freshness).bytes(head.liveness).bytes(head.state);
  return body.bytes(head.range).bytes(head.sealCounts).bytes(head.extra);
}

/** Copies: a head outlives the buffer it came in. */
function takeHead(reader: BodyReader, what: string): ListHead {
  const size = reader.u64();
  const next = () => reader.bytes().slice();
  const root = next();
  if (root.length !== 32) throw damaged(what, 'its root is not 32 bytes');
  const [checkpoint, anchor, freshness, liveness] = [next(), next(), next(), next()];
  const [state, range, sealCounts, extra] = [next(), next(), next(), next()];
  return { size, root, checkpoint, anchor, freshness, liveness, state, range, sealCounts, extra };
}

function putRef(body: BodyWriter, ref: ColumnRef): void {
  body.bytes(ref.fileId).u64(ref.fileBytes);
}

const takeRef = (reader: BodyReader): ColumnRef => ({
  fileId: reader.bytes().slice(),
  fileBytes: reader.u64(),
});

export function encodeHeadFile(file: HeadFile): Uint8Array {
  const { segment } = file;
  const body = new BodyWriter().u64(file.sequence).text(file.origin).text(file.directory);
  body.u32(segment.hashBytes).u32(segment.bucketBits).u64(segment.rowCount).u64(segment.leafCount);
  putRef(body, segment.keys);
  putRef(body, segment.rows);
  if (segment.leaves !== undefined) putRef(body, segment.leaves);
  return putHead(body.bytes(file.logId), file.base).finish();
}

export function decodeHeadFile(bytes: Uint8Array): HeadFile {
  const what = 'head';
  const reader = new BodyReader(bytes, what);
  const sequence = reader.u64();
  const origin = reader.text();
  const directory = reader.text();
  const facts = {
    hashBytes: reader.u32(),
    bucketBits: reader.u32(),
    rowCount: reader.u64(),
    leafCount: reader.u64(),
  };
  const columns = { keys: takeRef(reader), rows: takeRef(reader) };
  const leaves = facts.leafCount > 0 ? { leaves: takeRef(reader) } : {};
  const logId = reader.bytes().slice();
  const base = takeHead(reader, what);
  reader.end();
  return { sequence, origin, directory, segment: { ...facts, ...columns, ...leaves }, logId, base };
}

function putBundles(body: BodyWriter, bundles: readonly StoredBundle[]): BodyWriter {
  body.u32(bundles.length);
  for (const bundle of bundles) body.u64(bundle.firstIndex).u32(bundle.count).bytes(bundle.bytes);
  return body;
}

function takeBundles(reader: BodyReader): StoredBundle[] {
  const bundles: StoredBundle[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    bundles.push({ firstIndex: reader.u64(), count: reader.u32(), bytes: reader.bytes() });
  }
  return bundles;
}

export function encodeDelta(delta: DeltaCommit): Uint8Array {
  return putHead(putBundles(new BodyWriter(), delta.bundles), delta.newHead).finish();
}

export function decodeDelta(bytes: Uint8Array): { bundles: StoredBundle[]; newHead: ListHead } {
  const reader = new BodyReader(bytes, 'deltas.log');
  const bundles = takeBundles(reader);
  const newHead = takeHead(reader, 'deltas.log');
  reader.end();
  return { bundles, newHead };
}

export function encodeBundles(bundles: readonly StoredBundle[]): Uint8Array {
  return putBundles(new BodyWriter(), bundles).finish();
}

export function decodeBundles(bytes: Uint8Array): StoredBundle[] {
  const reader = new BodyReader(bytes, 'staging.log');
  const bundles = takeBundles(reader);
  reader.end();
  return bundles;
}
