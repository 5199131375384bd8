/** The log engine: what a server holds of each list, and how it grows. */
export { loadBootstrap } from './bootstrap.js';
export { findBatch } from './chains.js';
export { commitBatch } from './commit.js';
export type { LogDeps } from './deps.js';
export { type Engine, openEngine } from './engine.js';
export { FreshnessIssuer } from './freshness.js';
export { Lists } from './lists.js';
export { openBatches } from './open-batches.js';
export { describe, prepareBatch } from './prepare.js';
export type { ResidentList } from './resident.js';
export { PublisherRoots } from './roots.js';
export { Snapshots } from './snapshots.js';
export { Statements } from './statements.js';
export { Upkeep } from './upkeep.js';
export { receiveUpload } from './uploads.js';
