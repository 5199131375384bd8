export { hashBuffer, MultiHash } from './digest.js';
export { hashFile } from './file.js';
export { fromError as errorStatus, sameState } from './file-state.js';
export { SyncFileHasher } from './file-sync.js';
export { HashingStream, hashStream } from './stream.js';
export * from './types.js';
