/** The platform's primitives: same answers as the portable ones, faster. */
import type { Sha256, Suite } from '../../core/index.js';
import { nodeEd25519 } from './node-ed25519.js';
import { nodeSha256 } from './node-sha256.js';
import { loadWasmSha256 } from './wasm-sha256.js';

export { nodeEd25519 } from './node-ed25519.js';
export { nodeSha256 } from './node-sha256.js';
export { loadWasmSha256 } from './wasm-sha256.js';

let bulk: Sha256 | undefined;

/** The fastest SHA-256 for many short messages: WebAssembly, or the platform's crypto where it does not load. */
export function bulkSha256(): Sha256 {
  bulk ??= loadWasmSha256() ?? nodeSha256;
  return bulk;
}

/** What programs on Node use throughout. */
export function platformSuite(): Suite {
  return { sha256: bulkSha256(), ed25519: nodeEd25519 };
}
