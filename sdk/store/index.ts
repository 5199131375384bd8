/** The door of the hoster's store: lists, journal, spool, counters and documents on disk, encrypted. */
export {
  type Database,
  type DatabaseOp,
  isHeldElsewhere,
  memoryDatabase,
  type OpenDatabase,
  openLevel,
} from './database.js';
export type * from './disk.js';
export * from './key.js';
export { rotateStoreKey } from './key-file.js';
export * from './limits.js';
export { MemoryDisk } from './memory-disk.js';
export { nodeDisk } from './node-disk.js';
export { type OpenStoreOptions, openStore } from './store.js';
export type * from './types.js';
