export { BatchBuilder, type BatchDetails } from './builder.js';
export { type ImportJob, type ImportOutcome, importToBatch } from './from-import.js';
export { pooledRandom } from './items.js';
export { type OpenBatch, openBatch } from './open.js';
