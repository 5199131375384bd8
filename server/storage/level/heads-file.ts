/**
 * HEADS: what the database must contain, kept beside it. Text, so that an operator can read it:
 *
 *     hashfed-heads/1
 *     store <32 hex>
 *     generation <n>
 *     meta <64 hex>          SHA-256 of the meta row of that generation
 *     head <origin> <size> <root hex>     one a line, by origin
 *     state open|clean
 *     mac <64 hex>           HMAC-SHA256 of all lines above under the operator's key
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { MAX_U53 } from '../../../sdk/core/index.js';
import { damaged } from '../failure.js';

/** Bytes of HEADS: some hundred thousand origins. */
export const MAX_HEADS_BYTES = 64 * 1024 * 1024;

export interface HeadsFile {
  readonly store: string;
  readonly generation: number;
  readonly meta: string;
  /** `size rootHex` by origin. */
  readonly heads: ReadonlyMap<string, string>;
  /** Whether the store was closed in order. */
  readonly state: 'open' | 'clean';
}

function body({ store, generation, meta, heads }: HeadsFile): string {
  const lines = [...heads].map(([origin, head]) => `head ${origin} ${head}`).sort();
  return ['hashfed-heads/1', `store ${store}`, `generation ${generation}`, `meta ${meta}`, ...lines, ''].join(
    '\n',
  );
}

const mac = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text).digest('hex');

export function formatHeads(file: HeadsFile, key: Uint8Array): Uint8Array {
  const text = `${body(file)}state ${file.state}\n`;
  return Buffer.from(`${text}mac ${mac(key, text)}\n`, 'utf8');
}

/** Names one generation; the next generation's meta row carries it. The state does not count. */
export function digestOfHeads(file: HeadsFile): Buffer {
  return createHash('sha256').update(body(file)).digest();
}

/** Throws `STORAGE_FAILED`: damaged, or made under another key. */
export function parseHeads(bytes: Uint8Array, key: Uint8Array): HeadsFile {
  const text = Buffer.from(bytes).toString('utf8');
  const at = text.lastIndexOf('mac ');
  if (at < 0 || !sameText(text.slice(at), `mac ${mac(key, text.slice(0, at))}\n`)) {
    damaged('HEADS', 'is damaged, or was made under another key');
  }
  const lines = text.slice(0, at).split('\n');
  const [magic, store, generation, meta] = lines;
  const heads = new Map<string, string>();
  for (const line of lines.slice(4, -2)) {
    const match =
      /^head (\S+) (\d+ [0-9a-f]{64})$/.exec(line) ?? damaged('HEADS', 'has a line of another format');
    heads.set(match[1]!, match[2]!);
  }
  const number = Number(field(generation, /^generation (\d{1,16})$/));
  if (magic !== 'hashfed-heads/1' || number >= MAX_U53)
    damaged('HEADS', 'has a newer format than this program knows');
  const state = field(lines.at(-2), /^state (open|clean)$/) === 'clean' ? 'clean' : 'open';
  return {
    store: field(store, /^store ([0-9a-f]{32})$/),
    generation: number,
    meta: field(meta, /^meta ([0-9a-f]{64})$/),
    heads,
    state,
  };
}

function field(line: string | undefined, pattern: RegExp): string {
  return pattern.exec(line ?? '')?.[1] ?? damaged('HEADS', 'has a line of another format');
}

function sameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
