export { hashBuffer, MultiHash } from './digest.js';
export { hashFile } from './file.js';
export { sameState } from './file-state.js';
export { SyncFileHasher } from './file-sync.js';
export { HashingStream, hashStream } from './stream.js';
export * from './types.js';
