import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One distinct content and every place it lies. */
export interface Content {
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly paths: string[];
}

/** The true answers, counted before anything is published. */
export interface Tree {
  readonly contents: readonly Content[];
  readonly files: number;
  readonly bytes: number;
}

/** Names that are no part of the count: history and caches change while a demo runs. */
export const LEFT_OUT: ReadonlySet<string> = new Set(['.git', '.cache', '.vite', '.vitest']);

/** Reads every regular, non-empty file below `folder` and groups by content. Links are not followed. */
export async function readTree(folder: string, onFile: (files: number) => void = () => {}): Promise<Tree> {
  const contents = new Map<string, Content>();
  let files = 0;
  let bytes = 0;
  for await (const path of walk(folder)) {
    const data = await readFile(path);
    if (data.length === 0) continue;
    files += 1;
    onFile(files);
    bytes += data.length;
    const digest = (algorithm: string): string => createHash(algorithm).update(data).digest('hex');
    const sha256 = digest('sha256');
    const known = contents.get(sha256);
    if (known === undefined) {
      contents.set(sha256, {
        md5: digest('md5'),
        sha1: digest('sha1'),
        sha256,
        bytes: data.length,
        paths: [path],
      });
    } else known.paths.push(path);
  }
  return { contents: [...contents.values()], files, bytes };
}

async function* walk(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (LEFT_OUT.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile() && (await lstat(path)).isFile()) yield path;
  }
}

/** A small generator (mulberry32), so that `--seed` repeats a run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Picks two disjoint samples of distinct contents. */
export function sample(tree: Tree, seed: number, sizes: readonly [number, number]): [Content[], Content[]] {
  const random = seeded(seed);
  const pool = [...tree.contents];
  for (let i = pool.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [pool[i], pool[j]] = [pool[j]!, pool[i]!];
  }
  const first = Math.min(sizes[0], Math.floor(pool.length / 2));
  return [pool.slice(0, first), pool.slice(first, first + sizes[1])];
}

export const countFiles = (contents: readonly Content[]): number =>
  contents.reduce((sum, { paths }) => sum + paths.length, 0);
