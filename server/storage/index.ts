/** The server's storage: one seam, several backends. */
export type * from './kernel.js';
export type * from './types.js';
