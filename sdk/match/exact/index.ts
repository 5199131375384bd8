/** The door of exact matching: resident sorted tables with an overlay for recent changes. */
export type { AppliedChanges, Changes } from './apply.js';
export type { KnownRows } from './build.js';
export { ExactIndex } from './exact-index.js';
export type { KeyBytes } from './limits.js';
export type { BackgroundOptions, Merge } from './merge.js';
export { ExactOpening } from './opening.js';
export { type RecordKey, recordKeys, rowEnd } from './rows.js';
export type { ExactBytes, ExactHandle } from './types.js';
