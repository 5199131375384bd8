/** The door of hashing: exact hashes of buffers, streams and files; the platform's backends. */
export * from './exact.js';
export * from './platform/index.js';
