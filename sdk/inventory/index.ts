/** The door of the inventory: encrypted hashes of stored objects, and matching them against a new batch. */
export { BlockWriter, EntryCursor, type InventoryEntry } from './entry.js';
export type { Matched, ShelfHead } from './head.js';
export { type Coverage, Inventory, type InventoryOptions, leastOf } from './inventory.js';
export { takeLock } from './lock.js';
export { comparePaths, showPath } from './paths.js';
export { type Batch, type LookedFor, type RematchOptions, rematch } from './rematch.js';
export { Rescan } from './rescan.js';
export type { Shelf } from './shelf.js';
