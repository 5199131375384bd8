/** The door of the hoster's store: lists, journal, spool, counters and documents on disk, encrypted. */
export type * from './disk.js';
export * from './limits.js';
export type * from './types.js';
