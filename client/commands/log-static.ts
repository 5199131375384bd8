import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  CompactRange,
  equalBytes,
  forEachLeaf,
  formatVkey,
  HASH_BYTES,
  HashfedError,
  keysFor,
  type NodeSink,
} from '../../sdk/core/index.js';
import { pullEntries } from '../../sdk/sync/index.js';
import { writeNew } from '../pki/index.js';
import type { VerifiedList } from './list-source.js';
import { type ExportJob, makeFolder } from './log-export.js';

/** Hashes of a tile, and entries of an entry bundle. */
const TILE_WIDTH = 256;
/** Tree levels between two levels of tiles. */
const TILE_LEVELS = 8;

/**
 * Writes a list in the layout of C2SP tlog-tiles: `checkpoint` (last), `tile/L/N`, `tile/entries/N`, and `key.vkey`
 * beside them. Answers how many entry bundles were left out because they hold an erased leaf, for which the layout has
 * no form; their tiles are there. Bounded memory. Throws USAGE for a folder that is not empty, ROOT_MISMATCH.
 */
export async function exportStatic(
  { deps, source, offer }: VerifiedList,
  { origin, folder, signal, onProgress }: ExportJob,
): Promise<{ readonly omitted: number }> {
  await makeFolder(folder);
  const { size: to, root, note } = offer.checkpoint;
  const files = new Files(join(folder, 'tile'));
  const tree = CompactRange.empty(deps.suite.sha256);
  const tiles = new Tiles(files);
  const entries = new EntryBundles(files);
  for await (const { bytes, count } of pullEntries(deps, source, { origin, from: 0, to, signal })) {
    tree.append(deps.suite.sha256.hashLeaves(bytes, count), tiles.sink);
    entries.add(bytes);
    await files.flush();
    onProgress(tree.size, to);
  }
  tiles.finish();
  entries.finish();
  await files.flush();
  if (!equalBytes(tree.root(), root))
    throw new HashfedError('ROOT_MISMATCH', 'the entries do not make the root of the checkpoint', { origin });
  const { sequencing } = keysFor(offer.root, origin);
  await writeNew(join(folder, 'key.vkey'), `${formatVkey(deps.suite.sha256, sequencing)}\n`, 0o644);
  await writeNew(join(folder, 'checkpoint'), note, 0o644);
  return { omitted: entries.omitted };
}

/** `x001/x234/067`, with `.p/W` for a partial one. */
export function tilePath(index: number, width: number): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const parts = digits.match(/\d{3}/g) ?? [];
  const name = parts.map((part, i) => (i < parts.length - 1 ? `x${part}` : part)).join('/');
  return width === TILE_WIDTH ? name : `${name}.p/${width}`;
}

/** Files that wait to be written: tiles fill inside a callback that cannot wait. */
class Files {
  readonly #folder: string;
  readonly #made = new Set<string>();
  #waiting: [path: string, bytes: Uint8Array][] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  add(path: string, bytes: Uint8Array): void {
    this.#waiting.push([join(this.#folder, path), bytes]);
  }

  async flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [path, bytes] of waiting) {
      const folder = dirname(path);
      if (!this.#made.has(folder)) await mkdir(folder, { recursive: true, mode: 0o700 });
      this.#made.add(folder);
      await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
    }
  }
}

/** Complete nodes of tree levels 0, 8, 16 … in tiles of 256. */
class Tiles {
  readonly #files: Files;
  readonly #open: { index: number; hashes: Uint8Array; count: number }[] = [];

  constructor(files: Files) {
    this.#files = files;
  }

  readonly sink: NodeSink = (treeLevel, first, nodes) => {
    if (treeLevel % TILE_LEVELS !== 0) return;
    const level = treeLevel / TILE_LEVELS;
    for (let at = 0; at < nodes.length; )
      at += this.#fill(level, first + at / HASH_BYTES, nodes.subarray(at));
  };

  finish(): void {
    this.#open.forEach(({ index, hashes, count }, level) => {
      if (count > 0)
        this.#files.add(`${level}/${tilePath(index, count)}`, hashes.slice(0, count * HASH_BYTES));
    });
  }

  /** Copies what the tile has room for; answers how many bytes. */
  #fill(level: number, position: number, nodes: Uint8Array): number {
    this.#open[level] ??= { index: Math.floor(position / TILE_WIDTH), hashes: emptyTile(), count: 0 };
    const tile = this.#open[level];
    const part = nodes.subarray(0, (TILE_WIDTH - tile.count) * HASH_BYTES);
    tile.hashes.set(part, tile.count * HASH_BYTES);
    tile.count += part.length / HASH_BYTES;
    if (tile.count === TILE_WIDTH) {
      this.#files.add(`${level}/${tilePath(tile.index, TILE_WIDTH)}`, tile.hashes);
      this.#open[level] = { index: tile.index + 1, hashes: emptyTile(), count: 0 };
    }
    return part.length;
  }
}

const emptyTile = (): Uint8Array => new Uint8Array(TILE_WIDTH * HASH_BYTES);

/** 256 entries a file, each as `u16 length | leaf`: the very bytes that servers send. */
class EntryBundles {
  readonly #files: Files;
  #index = 0;
  #parts: Uint8Array[] = [];
  #count = 0;
  #erased = false;
  omitted = 0;

  constructor(files: Files) {
    this.#files = files;
  }

  add(bundle: Uint8Array): void {
    let start = 0;
    let end = 0;
    forEachLeaf(bundle, (offset, length, erased) => {
      end = offset + length;
      this.#erased ||= erased;
      this.#count += 1;
      if (this.#count < TILE_WIDTH) return;
      this.#parts.push(bundle.subarray(start, end));
      start = end;
      this.#close(TILE_WIDTH);
    });
    if (end > start) this.#parts.push(bundle.slice(start, end));
  }

  finish(): void {
    if (this.#count > 0) this.#close(this.#count);
  }

  #close(width: number): void {
    if (this.#erased) this.omitted += 1;
    else this.#files.add(`entries/${tilePath(this.#index, width)}`, Buffer.concat(this.#parts));
    this.#index += 1;
    this.#parts = [];
    this.#count = 0;
    this.#erased = false;
  }
}
