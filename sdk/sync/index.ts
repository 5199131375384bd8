/** Following lists: the verified procedure that hosters, publishers, mirrors and auditors share. */
export { rebuiltBy } from './changes.js';
export { ClockGuard } from './clock-guard.js';
export { writeBase } from './commit.js';
export { connectSources, type SourceConfig, type TlsFiles } from './connect.js';
export { currencyOf, isSameMoment, type Moment, momentOf, restoreStatements } from './currency.js';
export { NO_COSIGNERS, type PinnedPublisher, type Source, type SyncDeps } from './deps.js';
export {
  equivocationOf,
  evidenceDigest,
  MAX_EVIDENCE_BYTES,
  originOfEvidence,
  type ProvenFork,
  unpackEvidence,
  verifyEquivocation,
} from './equivocation.js';
export { keepEvidence, packEvidence } from './evidence.js';
export type { Arrival, Held, HeldNote, Stated } from './held.js';
export { type Judging, judgeOffer, type Offer } from './offer.js';
export type { Opening } from './opening.js';
export { askCheckpoint, askConsistency, askRoot, type ServedCheckpoint, splitHashes } from './peer.js';
export { type PullOptions, pullEntries } from './pull.js';
export { ListReplica } from './replica.js';
export { type ReportOptions, reportSyncState, syncStates } from './report.js';
export { RootBook } from './root-book.js';
export { verifyIndex } from './snapshot-pull.js';
export { type Goal, RangeBuilder, type VerifiedRange } from './stage.js';
export type { Content, Damage } from './stored-content.js';
export { damageAlarm, syncList } from './sync-list.js';
export type * from './types.js';
export { watchOrigins } from './watch.js';
