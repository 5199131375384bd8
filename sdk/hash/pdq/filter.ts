/** The WebAssembly build of luma.ts and jarosz.ts for sides up to 512; the same bits, several times as fast. */

import { MAX_CORE_SIDE } from './limits.js';
import { FILTER_WASM } from './wasm/module.js';

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly RGB: { readonly value: number };
  readonly SAMPLES: { readonly value: number };
  sample(width: number, height: number): void;
}

/** What is used of the WebAssembly interface, which the platform's type declarations leave to browsers. */
interface Platform {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: unknown };
  };
}

const { WebAssembly } = globalThis as unknown as Platform;

export class SampleFilter {
  readonly #wasm: Exports;
  readonly #rgb: Uint8Array;
  /** 64×64 samples of the last picture. */
  readonly samples: Float32Array;

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(FILTER_WASM, 'base64'));
    this.#wasm = new WebAssembly.Instance(module).exports as Exports;
    const { buffer } = this.#wasm.memory;
    this.#rgb = new Uint8Array(buffer, this.#wasm.RGB.value, MAX_CORE_SIDE * MAX_CORE_SIDE * 3);
    this.samples = new Float32Array(buffer, this.#wasm.SAMPLES.value, 64 * 64);
  }

  /** Fills `samples` from interleaved RGB that fits the sides, which are 5 to 512. */
  run(rgb: Uint8Array, width: number, height: number): void {
    this.#rgb.set(rgb);
    this.#wasm.sample(width, height);
  }
}
