/**
 * Tiles of 256 hashes: tile (level, index) holds the complete nodes of tree level 8·level at positions
 * [256·index, 256·index + 256); the last one of each level may be partial. The nodes between two tile levels
 * are computed from a tile. A tile is stored with the segment whose leaves completed it; a partial one with
 * the segment that ends the log, and goes when the next commit supersedes it.
 */
import type { NodeSink, Sha256 } from '../../../sdk/core/index.js';
import { TILE_HASHES } from '../limits.js';

const HASH = 32;
/** Tree levels per tile. */
export const TILE_LEVELS = 8;

/** Complete nodes of tree level 8·level in a tree of `size` leaves. */
export const nodesAt = (level: number, size: number): number => Math.floor(size / TILE_HASHES ** level);

/** The partial tiles of a tree of `size` leaves: one per level whose node count is no multiple of 256. */
export function partialTiles(size: number): { level: number; index: number; count: number }[] {
  const tiles: { level: number; index: number; count: number }[] = [];
  for (let level = 0; nodesAt(level, size) > 0; level += 1) {
    const nodes = nodesAt(level, size);
    const count = nodes % TILE_HASHES;
    if (count > 0) tiles.push({ level, index: (nodes - count) / TILE_HASHES, count });
  }
  return tiles;
}

/** The last leaf that a tile of a tree of `size` leaves depends on. */
export function lastLeafOf(level: number, index: number, size: number): number {
  return Math.min((index + 1) * TILE_HASHES ** (level + 1), size) - 1;
}

export type TileSink = (level: number, index: number, hashes: Uint8Array) => void;

interface Edge {
  index: number;
  count: number;
  readonly hashes: Uint8Array;
}

/** Gathers the nodes a compact range reports into tiles. */
export class TileBuilder {
  readonly #edges: (Edge | undefined)[] = [];
  readonly #emit: TileSink;

  constructor(emit: TileSink) {
    this.#emit = emit;
  }

  /** A partial tile that stands already. */
  seed(level: number, index: number, hashes: Uint8Array): void {
    const edge = { index, count: hashes.length / HASH, hashes: new Uint8Array(TILE_HASHES * HASH) };
    edge.hashes.set(hashes);
    this.#edges[level] = edge;
  }

  readonly sink: NodeSink = (treeLevel, first, nodes) => {
    if (treeLevel % TILE_LEVELS !== 0) return;
    for (let at = 0; at < nodes.length; )
      at += this.#fill(treeLevel / TILE_LEVELS, first + at / HASH, nodes, at);
  };

  /** Emits the partial tiles; call once, at the end. */
  finish(): void {
    this.#edges.forEach((edge, level) => {
      if (edge && edge.count > 0) this.#emit(level, edge.index, edge.hashes.slice(0, edge.count * HASH));
    });
  }

  /** Copies what fits into the current tile; returns how many bytes that were. */
  #fill(level: number, position: number, nodes: Uint8Array, at: number): number {
    const index = Math.floor(position / TILE_HASHES);
    const edge = this.#edges[level] ?? this.#open(level, index);
    const room = (TILE_HASHES - edge.count) * HASH;
    const part = nodes.subarray(at, at + room);
    edge.hashes.set(part, edge.count * HASH);
    edge.count += part.length / HASH;
    if (edge.count === TILE_HASHES) {
      this.#emit(level, edge.index, edge.hashes);
      this.#edges[level] = undefined;
    }
    return part.length;
  }

  #open(level: number, index: number): Edge {
    const edge = { index, count: 0, hashes: new Uint8Array(TILE_HASHES * HASH) };
    this.#edges[level] = edge;
    return edge;
  }
}

/** The node `up` levels above the tile's own level, at `position` within the tile; all below it is complete. */
export function nodeInTile(sha: Sha256, hashes: Uint8Array, up: number, position: number): Uint8Array {
  const width = 2 ** up;
  let nodes = hashes.subarray(position * width * HASH, (position + 1) * width * HASH);
  for (let level = 0; level < up; level += 1) nodes = sha.hashPairs(nodes);
  return nodes.slice(0, HASH);
}
