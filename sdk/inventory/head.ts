import { z } from 'zod';
import { FILE_ID_BYTES, MAX_HEAD_BYTES, MAX_SEGMENTS } from './limits.js';
import { damaged, HEADER_BYTES, KIND, makeHeader, openBlock, readHeader, sealBlock } from './sealing.js';
import type { SegmentWorld } from './segment.js';

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const segment = z.strictObject({
  file: z.string().regex(/^[0-9a-f]{16}\.seg$/),
  objects: count,
  bytes: count,
});
const segments = z.array(segment).max(MAX_SEGMENTS);
/** Lists and their sizes that every object was matched against, and when. */
const matched = z.strictObject({
  sizes: z.record(z.string().max(128), count),
  atMs: count,
  /** When the least current of these lists was last FRESH; null: never. */
  freshMs: count.nullable(),
});

const Head = z.strictObject({
  format: z.literal(1),
  /** The scanned folder, or the name that an integrator gave. */
  name: z.string().max(4096),
  /** `folder`: references are paths below it, in the order of a walk. `objects`: they are the integrator's own. */
  kind: z.enum(['folder', 'objects']),
  segments,
  matched: matched.nullable(),
  /** What the last complete scan saw, readable or not; null for objects that came one by one. */
  seen: z.strictObject({ objects: count, bytes: count, atMs: count }).nullable(),
  /** A scan that has not come to its end. */
  next: z
    .strictObject({
      segments,
      /** What the store said when it began. */
      matched,
    })
    .nullable(),
});

export type ShelfHead = z.infer<typeof Head>;
export type Matched = z.infer<typeof matched>;

export const HEAD_FILE = 'head';

export const newHead = (name: string, kind: ShelfHead['kind']): ShelfHead => ({
  format: 1,
  name,
  kind,
  segments: [],
  matched: null,
  seen: null,
  next: null,
});

const contextOf = (header: Uint8Array, shelf: string) =>
  Buffer.concat([header, Buffer.from(`${shelf}\nhead`, 'utf8')]);

export function sealHead(world: SegmentWorld, shelf: string, head: ShelfHead): Uint8Array {
  const fileId = world.randomBytes(FILE_ID_BYTES);
  const header = makeHeader(KIND.head, fileId);
  const place = { key: world.keyFor(fileId), context: contextOf(header, shelf), n: 0, last: true };
  return Buffer.concat([header, sealBlock(place, Buffer.from(JSON.stringify(head), 'utf8'))]);
}

/** Throws `STORAGE_FAILED` for a wrong key or damage, `UPGRADE_REQUIRED` for a newer format. */
export function openHead(world: Pick<SegmentWorld, 'keyFor'>, shelf: string, bytes: Uint8Array): ShelfHead {
  if (bytes.length > MAX_HEAD_BYTES) throw damaged(HEAD_FILE, 'it is too long');
  const header = bytes.subarray(0, HEADER_BYTES);
  const key = world.keyFor(readHeader(header, KIND.head, HEAD_FILE));
  const place = { key, context: contextOf(header, shelf), n: 0, last: true };
  const plain = openBlock(place, bytes.subarray(HEADER_BYTES));
  if (plain === undefined) throw damaged(HEAD_FILE, 'it was changed or damaged, or the store key is another');
  const parsed = Head.safeParse(JSON.parse(Buffer.from(plain).toString('utf8')));
  if (!parsed.success) throw damaged(HEAD_FILE, 'it says what this version does not understand');
  return parsed.data;
}
