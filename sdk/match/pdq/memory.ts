/** One instance of the WebAssembly module and typed views of its scratch areas (wasm/assembly/layout.ts). */

import { PDQ_WASM } from './wasm/module.js';

const QUERY = 0x400;
const RADII = 0x800;
const BALLS = 0xc00;
const RESULT_ROWS = 0x4000;
const RESULT_DISTANCES = 0x8000;
const BATCH_ROWS = 0x9000;
const BATCH_HASHES = 0xe000;
const MASKS = 0x16000;

/** Rows of one batch. */
export const BATCH = 1_024;

/** Exports of wasm/assembly/index.ts; booleans and unsigned numbers arrive as signed 32-bit integers. */
export interface PdqExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  size(): number;
  limitRow(): number;
  has(row: number): number;
  ghosts(): number;
  shape(): number;
  memoryBytes(): number;
  linesVisited(): number;
  addBatch(count: number): number;
  removeBatch(count: number): number;
  beginBuild(count: number, bits: number): number;
  step(work: number): number;
  scan(maxDistance: number, cap: number): number;
  search(maxDistance: number, cap: number, spare: number): number;
}

/** What is used of the WebAssembly interface, which the platform's type declarations leave to browsers. */
interface Platform {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: unknown };
  };
}

const { WebAssembly } = globalThis as unknown as Platform;
let compiled: object | undefined;

export class PdqMemory {
  readonly wasm: PdqExports;
  #u8: Uint8Array;
  #u32: Uint32Array;

  constructor() {
    compiled ??= new WebAssembly.Module(Buffer.from(PDQ_WASM, 'base64'));
    this.wasm = new WebAssembly.Instance(compiled).exports as PdqExports;
    this.#u8 = new Uint8Array(this.wasm.memory.buffer);
    this.#u32 = new Uint32Array(this.wasm.memory.buffer);
  }

  /** Views become detached when the memory grows. */
  #bytes(): Uint8Array {
    if (this.#u8.length === 0) {
      this.#u8 = new Uint8Array(this.wasm.memory.buffer);
      this.#u32 = new Uint32Array(this.wasm.memory.buffer);
    }
    return this.#u8;
  }

  #words(): Uint32Array {
    this.#bytes();
    return this.#u32;
  }

  setQuery(hash: Uint8Array): void {
    this.#bytes().set(hash, QUERY);
  }

  setBatchHashes(hashes: Uint8Array): void {
    this.#bytes().set(hashes, BATCH_HASHES);
  }

  setBatchRows(rows: Uint32Array): void {
    this.#words().set(rows, BATCH_ROWS / 4);
  }

  setBatchRow(row: number): void {
    this.#words()[BATCH_ROWS / 4] = row;
  }

  /** Four numbers a band: radius + 1, bound, lines and candidates expected, unused. */
  setRadii(pairs: readonly number[]): void {
    this.#words().set(pairs, RADII / 4);
  }

  setMasks(masks: Uint32Array, balls: readonly number[]): void {
    this.#words().set(masks, MASKS / 4);
    this.#words().set(balls, BALLS / 4);
  }

  rows(count: number): Uint32Array {
    return this.#words().slice(RESULT_ROWS / 4, RESULT_ROWS / 4 + count);
  }

  distances(count: number): Uint8Array {
    return this.#bytes().slice(RESULT_DISTANCES, RESULT_DISTANCES + count);
  }
}
