import { MAX_LEAF_BYTES, type Sha256 } from '../../core/index.js';
import { nodeSha256 } from './node-sha256.js';
import { SHA256_WASM } from './sha256-wasm.js';

const HASH_BYTES = 32;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  input(): number;
  output(): number;
  window(): number;
  hashLeaves(count: number): number;
  hashPairs(pairs: number): void;
}
interface Engine {
  new (bytes: Uint8Array): object;
}
declare const WebAssembly: {
  readonly Module: Engine;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** One instance is reused for ever: its memory is fixed, and nothing stays in it that is secret. */
class WasmSha256 implements Sha256 {
  readonly digest = nodeSha256.digest;
  readonly #wasm: Exports;
  readonly #input: Uint8Array;
  readonly #output: Uint8Array;

  constructor(wasm: Exports) {
    this.#wasm = wasm;
    this.#input = new Uint8Array(wasm.memory.buffer, wasm.input(), wasm.window());
    this.#output = new Uint8Array(wasm.memory.buffer, wasm.output(), wasm.window());
  }

  hashLeaves(bundle: Uint8Array, count: number): Uint8Array {
    const out = new Uint8Array(count * HASH_BYTES);
    const most = this.#output.length / HASH_BYTES;
    let at = 0;
    for (let done = 0; done < count; ) {
      const window = fill(bundle, at, Math.min(most, count - done), this.#input.length);
      if (window === undefined) return nodeSha256.hashLeaves(bundle, count);
      this.#input.set(bundle.subarray(at, at + window.bytes));
      this.#wasm.hashLeaves(window.count);
      out.set(this.#output.subarray(0, window.count * HASH_BYTES), done * HASH_BYTES);
      at += window.bytes;
      done += window.count;
    }
    return out;
  }

  hashPairs(nodes: Uint8Array): Uint8Array {
    const out = new Uint8Array(nodes.length / 2);
    for (let at = 0; at < nodes.length; at += this.#input.length) {
      const part = nodes.subarray(at, at + this.#input.length);
      this.#input.set(part);
      this.#wasm.hashPairs(part.length / (2 * HASH_BYTES));
      out.set(this.#output.subarray(0, part.length / 2), at / 2);
    }
    return out;
  }
}

/** How many whole leaves from `at` on fit the input area; undefined where one is longer than a leaf may be. */
function fill(
  bundle: Uint8Array,
  at: number,
  most: number,
  room: number,
): { count: number; bytes: number } | undefined {
  let [count, end] = [0, at];
  while (count < most) {
    const length = (bundle[end]! << 8) | bundle[end + 1]!;
    if (length > MAX_LEAF_BYTES) return undefined;
    const next = end + 2 + (length === 0 ? HASH_BYTES : length);
    if (next - at > room) break;
    [count, end] = [count + 1, next];
  }
  return { count, bytes: end - at };
}

/** SHA-256 in WebAssembly with four lanes a register; undefined where the engine lacks SIMD. */
export function loadWasmSha256(): Sha256 | undefined {
  try {
    const module = new WebAssembly.Module(Buffer.from(SHA256_WASM, 'base64'));
    return new WasmSha256(new WebAssembly.Instance(module, {}).exports as Exports);
  } catch {
    return undefined;
  }
}
