import { HashfedError } from '../../core/index.js';
import { LITTLE_ENDIAN } from './limits.js';
import { EXACT_WASM } from './wasm/module.js';

/** A shared WebAssembly memory: a structured clone shares it. */
export interface TableMemory {
  readonly buffer: SharedArrayBuffer;
}

/** From the first four bytes of a key: the only row that can be its first one; −1 none, −2 ask `findRow`. */
export type Probe = (head: number) => number;

/** What is used of the WebAssembly interface, which the platform's type declarations leave to browsers. */
interface Platform {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
    readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => TableMemory;
  };
}

/** How large a table is: what its layout follows from. */
export interface Shape {
  readonly keyBytes: number;
  readonly count: number;
  readonly bits: number;
}

const { WebAssembly } = globalThis as unknown as Platform;
const PAGE_BYTES = 65_536;
/** What a probe may read behind the last tag: a window of 32. */
const AHEAD_BYTES = 64;
let compiled: object | undefined;

const toLine = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Bytes at which tags and rests start: behind the directory of 2^bits + 1 words, each on a cache line of its own. */
export function layout({ count, bits }: Shape): { tagsAt: number; restAt: number } {
  const tagsAt = toLine((2 ** bits + 1) * 4);
  return { tagsAt, restAt: toLine(tagsAt + count * 2) };
}

/** Room for a table. Throws `OVERLOADED` where the machine has none. */
export function allocateMemory(shape: Shape): TableMemory {
  const bytes = layout(shape).restAt + shape.count * (shape.keyBytes - 4) + AHEAD_BYTES;
  const pages = Math.ceil(bytes / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new HashfedError('OVERLOADED', 'no memory for the index of a list', { cause });
  }
}

/** Its own for each table and thread. Where the platform stores words the other way round, every answer is −2. */
export function attachProbe(memory: TableMemory, shape: Shape): Probe {
  if (!LITTLE_ENDIAN) return () => -2;
  compiled ??= new WebAssembly.Module(Buffer.from(EXACT_WASM, 'base64'));
  const index = { shift: 32 - shape.bits, tagsAt: layout(shape).tagsAt };
  const { exports } = new WebAssembly.Instance(compiled, { index, env: { memory } });
  return (exports as { candidate: Probe }).candidate;
}
