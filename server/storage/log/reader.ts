/** Looks into committed logs: heads, links, tiles. */
import { HashfedError } from '../../../sdk/core/index.js';
import { lastRow, type StorageDeps, sameBytes } from '../deps.js';
import { damaged } from '../failure.js';
import { KeyReader, rangeOf } from '../keys.js';
import { TILE_HASHES } from '../limits.js';
import type { Head } from '../types.js';
import {
  decodeHead,
  decodeLink,
  decodeSegment,
  headKey,
  type Link,
  linkKey,
  type SegmentRow,
  segmentKey,
  tileKey,
} from './records.js';
import { lastLeafOf, nodesAt } from './tiles.js';

export class LogReader {
  readonly deps: StorageDeps;

  constructor(deps: StorageDeps) {
    this.deps = deps;
  }

  async head(origin: string): Promise<{ head: Head; raw: Uint8Array } | undefined> {
    const raw = await this.deps.kernel.get(headKey(origin));
    return raw && { head: decodeHead(origin, raw), raw };
  }

  /** Throws `UNKNOWN_ORIGIN`. */
  async need(origin: string): Promise<Head> {
    const found = await this.head(origin);
    if (!found) throw new HashfedError('UNKNOWN_ORIGIN', 'this server holds no such list', { origin });
    return found.head;
  }

  async segment(id: string): Promise<{ row: SegmentRow; raw: Uint8Array } | undefined> {
    const raw = await this.deps.kernel.get(segmentKey(id));
    return raw && { row: decodeSegment(id, raw), raw };
  }

  /** The link that covers leaf `index`, which is below the committed size. */
  async linkAt(origin: string, index: number): Promise<Link> {
    const row = await lastRow(this.deps.kernel, {
      from: rangeOf('link', origin).from,
      to: linkKey(origin, index + 1),
    });
    if (!row) return damaged('link', 'is missing');
    const link = linkOf(row.key, row.value);
    return link.from <= index && index < link.to ? link : damaged('link', 'leaves a gap');
  }

  /** Links that cover [from, to), in order and without a gap. */
  async *links(origin: string, from: number, to: number): AsyncGenerator<Link> {
    if (from >= to) return;
    let expected = (await this.linkAt(origin, from)).from;
    const range = { from: linkKey(origin, expected), to: linkKey(origin, to) };
    for await (const row of this.deps.kernel.scan(range)) {
      const link = linkOf(row.key, row.value);
      if (link.from !== expected || link.to <= link.from) damaged('link', 'leaves a gap');
      yield link;
      expected = link.to;
    }
    if (expected < to) damaged('link', 'is missing');
  }

  /**
   * Hashes of one tile as of the committed size (partial at the edge). A commit may supersede a partial tile
   * between two reads: then the head has moved, and it is looked up again.
   */
  async tile(origin: string, level: number, index: number): Promise<Uint8Array> {
    for (;;) {
      const { size, root } = await this.need(origin);
      const count = Math.min(nodesAt(level, size) - index * TILE_HASHES, TILE_HASHES);
      if (count <= 0) throw new HashfedError('SIZE_AHEAD', 'the tree is smaller than that', { origin });
      const { segment } = await this.linkAt(origin, lastLeafOf(level, index, size));
      const hashes = await this.deps.kernel.get(tileKey(segment, level, index));
      if (hashes?.length === count * 32) return hashes;
      const now = await this.need(origin);
      if (now.size === size && sameBytes(now.root, root))
        damaged('tile', hashes ? 'has a wrong length' : 'is missing');
    }
  }
}

function linkOf(key: Uint8Array, value: Uint8Array): Link {
  const reader = new KeyReader(key);
  reader.name();
  return decodeLink(reader.u64(), value);
}
