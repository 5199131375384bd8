/**
 * The door of following lists: sources, publisher roots, replicas, one verified sync for SDK, workstation and mirror
 * alike, and watching.
 */
export { ClockGuard } from './clock-guard.js';
export { encodeEvidence, keepEvidence } from './evidence.js';
export type { Arrival, Held, HeldNote, Stated } from './held.js';
export { judgeOffer, type Offer } from './offer.js';
export { Publishers } from './publishers.js';
export { pullEntries, type Range } from './pull.js';
export { type Content, ListReplica, type ReplicaChange } from './replica.js';
export { type Installation, reportSyncState } from './report.js';
export { connect, sourceOf, splitHashes } from './rpc-source.js';
export { pullSnapshot, verifyIndex } from './snapshot-pull.js';
export { type Goal, RangeBuilder, type VerifiedRange } from './stage.js';
export { type SyncDeps, syncList, syncOffered } from './sync-list.js';
export type * from './types.js';
export { type WatchOptions, watch } from './watch.js';
