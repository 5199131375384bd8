/** Tree nodes for proofs, from tiles that are read once. */
import { HashfedError, type ProofPlan } from '../../../sdk/core/index.js';
import { TILE_HASHES } from '../limits.js';
import type { NodeReader } from '../types.js';
import type { LogReader } from './reader.js';
import { nodeInTile, TILE_LEVELS } from './tiles.js';

interface Place {
  readonly level: number;
  readonly tile: number;
  /** Levels above the tile's own. */
  readonly up: number;
  /** Among the tile's nodes of that height. */
  readonly position: number;
}

function place(level: number, index: number): Place {
  const up = level % TILE_LEVELS;
  const perTile = TILE_HASHES / 2 ** up;
  const tile = Math.floor(index / perTile);
  return { level: (level - up) / TILE_LEVELS, tile, up, position: index - tile * perTile };
}

export class TileNodes implements NodeReader {
  readonly #reader: LogReader;
  readonly #origin: string;
  readonly #tiles = new Map<string, Promise<Uint8Array>>();

  constructor(reader: LogReader, origin: string) {
    this.#reader = reader;
    this.#origin = origin;
  }

  async node(level: number, index: number): Promise<Uint8Array> {
    const at = place(level, index);
    const hashes = await this.#tile(at.level, at.tile);
    if ((at.position + 1) * 2 ** at.up * 32 > hashes.length) {
      throw new HashfedError('SIZE_AHEAD', 'the tree is smaller than that', { origin: this.#origin });
    }
    return nodeInTile(this.#reader.deps.sha, hashes, at.up, at.position);
  }

  async load(plan: ProofPlan): Promise<(level: number, index: number) => Uint8Array> {
    const nodes = new Map<string, Uint8Array>();
    for (const { level, index } of plan.flat()) nodes.set(`${level}/${index}`, await this.node(level, index));
    return (level, index) => {
      const node = nodes.get(`${level}/${index}`);
      if (!node) throw new HashfedError('INTERNAL', 'a node outside the plan was asked for');
      return node;
    };
  }

  #tile(level: number, tile: number): Promise<Uint8Array> {
    const key = `${level}/${tile}`;
    const known = this.#tiles.get(key);
    if (known) return known;
    const read = this.#reader.tile(this.#origin, level, tile);
    read.catch(() => this.#tiles.delete(key));
    this.#tiles.set(key, read);
    return read;
  }
}
