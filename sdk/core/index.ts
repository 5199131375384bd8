/** The door of the pure core: bytes, time and randomness come in as arguments; no I/O happens here. */
export * from './errors.js';
export * from './limits.js';
export type * from './ed25519.js';
export type * from './environment.js';
export type * from './sha256.js';
