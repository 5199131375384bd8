/** The door of the pure core: bytes, time and randomness come in as arguments; no I/O happens here. */

export * from './base64.js';
export * from './body.js';
export * from './bundle.js';
export * from './bytes.js';
export * from './checkpoint.js';
export * from './cosignature.js';
export * from './dsse.js';
export type * from './ed25519.js';
export type * from './environment.js';
export * from './errors.js';
export * from './leaf.js';
export * from './leaf-decode.js';
export * from './leaf-encode.js';
export * from './leaf-judge.js';
export * from './limits.js';
export * from './merkle.js';
export * from './merkle-proof.js';
export * from './meta.js';
export * from './note.js';
export * from './origin.js';
export * from './portable-sha256.js';
export * from './sealed-box.js';
export type * from './sha256.js';
export * from './signature.js';
export * from './suite.js';
export * from './utf8.js';
