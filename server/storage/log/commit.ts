/** The compare-and-swap that makes staged segments visible, over several origins at once. */
import { emptyRoot, HashfedError } from '../../../sdk/core/index.js';
import { sameBytes } from '../deps.js';
import { documentWrites } from '../documents.js';
import type { Precondition, Row } from '../kernel.js';
import type { CommitPart, DocumentPut, Head } from '../types.js';
import type { LogReader } from './reader.js';
import {
  encodeHead,
  encodeLink,
  encodeSegment,
  headKey,
  linkKey,
  type SegmentRow,
  SegmentState,
  segmentKey,
  tileKey,
} from './records.js';
import { partialTiles } from './tiles.js';

interface Plan {
  readonly head: Head;
  readonly checks: Precondition[];
  readonly puts: Row[];
  readonly deletes: Uint8Array[];
}

export async function commitParts(
  reader: LogReader,
  parts: readonly CommitPart[],
  documents: readonly DocumentPut[],
): Promise<readonly Head[]> {
  if (new Set(parts.map((part) => part.origin)).size !== parts.length) {
    throw new HashfedError('MALFORMED', 'an origin is named twice in one commit', { field: 'origin' });
  }
  const plans: Plan[] = [];
  for (const part of parts) plans.push(await planPart(reader, part));
  const also = await documentWrites(reader.deps.kernel, documents);
  if (!also) throw moved('documents');
  const all = [...plans, also];
  const done = await reader.deps.kernel.transact({
    checks: all.flatMap((plan) => plan.checks),
    puts: all.flatMap((plan) => plan.puts),
    deletes: all.flatMap((plan) => plan.deletes),
  });
  if (!done) throw moved('size');
  return plans.map((plan) => plan.head);
}

async function planPart(reader: LogReader, part: CommitPart): Promise<Plan> {
  const { origin } = part;
  const before = await reader.head(origin);
  const segments = await loadChain(reader, part);
  const at = before?.head ?? { size: 0, root: emptyRoot(reader.deps.sha) };
  const first = segments[0]!.row;
  if (first.from !== at.size || !sameBytes(first.fromRoot, at.root)) throw moved('size', origin);
  const last = segments.at(-1)!.row;
  if (last.to !== part.size || !sameBytes(last.root, part.root)) {
    throw new HashfedError('ROOT_MISMATCH', 'the staged entries do not lead to this root', { origin });
  }
  const head: Head = {
    origin,
    size: last.to,
    root: last.root,
    compactRange: last.compactRange,
    note: part.note,
    anchor: part.anchor,
    state: part.state,
    revision: (before?.head.revision ?? 0) + 1,
  };
  return {
    head,
    checks: [
      { key: headKey(origin), value: before?.raw ?? null },
      ...segments.map(({ row, raw }) => ({ key: segmentKey(row.id), value: raw })),
    ],
    puts: [{ key: headKey(origin), value: encodeHead(head) }, ...segments.flatMap(({ row }) => linked(row))],
    deletes: [
      ...(await superseded(reader, origin, at.size)),
      ...segments.slice(0, -1).flatMap(({ row }) => edgeKeys(row.id, row.to)),
    ],
  };
}

/** The segments of one part, finished, of its origin, each beginning where the one before ends. */
async function loadChain(
  reader: LogReader,
  { origin, segments }: CommitPart,
): Promise<{ row: SegmentRow; raw: Uint8Array }[]> {
  const chain: { row: SegmentRow; raw: Uint8Array }[] = [];
  for (const id of segments) {
    const found = await reader.segment(id);
    const known = found && found.row.origin === origin;
    if (!known || found.row.state === SegmentState.dropped || found.row.state === SegmentState.open) {
      throw new HashfedError('NOT_FOUND', 'no such finished segment of this list', { origin });
    }
    const before = chain.at(-1)?.row;
    const fits = !before || (before.to === found.row.from && sameBytes(before.root, found.row.fromRoot));
    if (found.row.state === SegmentState.committed || !fits) throw moved('size', origin);
    chain.push(found);
  }
  if (chain.length === 0)
    throw new HashfedError('MALFORMED', 'a commit names at least one segment', { origin });
  return chain;
}

function linked(row: SegmentRow): Row[] {
  const link = encodeLink({ from: row.from, to: row.to, segment: row.id });
  return [
    { key: linkKey(row.origin, row.from), value: link },
    { key: segmentKey(row.id), value: encodeSegment({ ...row, state: SegmentState.committed }) },
  ];
}

/** Keys of the partial tiles that stood at the old end; the next segment carries what they held. */
async function superseded(reader: LogReader, origin: string, size: number): Promise<Uint8Array[]> {
  if (size === 0) return [];
  return edgeKeys((await reader.linkAt(origin, size - 1)).segment, size);
}

function edgeKeys(segment: string, size: number): Uint8Array[] {
  return partialTiles(size).map(({ level, index }) => tileKey(segment, level, index));
}

function moved(field: string, origin?: string): HashfedError {
  const detail = { field, ...(origin === undefined ? {} : { origin }) };
  return new HashfedError('OLD_SIZE_MISMATCH', 'another commit came first', detail);
}
