/** hashfed for hosters: `open`, `sync`, `check`, and what stands around them. */
export { type CheckInput, hashInput, parseTypedHash } from './check.js';
export { type ClientConfig, type LoadedConfig, loadConfig } from './config/index.js';
export { type ErrorCode, HashfedError } from './core/index.js';
export { type CountedObject, type Counting, NO_COUNTING } from './counting.js';
export { Hashfed } from './hashfed.js';
export type { CheckOptions, HashfedEvents, ListStatus, PhotoDna, SyncSummary } from './hashfed-types.js';
export {
  type Coverage,
  EntryCursor,
  Inventory,
  type InventoryEntry,
  type Matched,
  type Rescan,
  type Shelf,
  showPath,
} from './inventory/index.js';
export type { FollowOptions } from './list-follower.js';
export {
  type Action,
  describePolicy,
  type Match,
  type PhotoDnaComparator,
  type Policy,
  parsePolicy,
  squaredEuclidean,
  type Verdict,
} from './match/index.js';
export { MatchingList } from './matching-list.js';
export { type OpenOptions, open, openDeps, policyOf, systemClock, systemRandom } from './open.js';
export {
  type CheckedFile,
  type CheckedObject,
  CheckingStream,
  type CommandHasherOptions,
  type FileCheck,
  hasherFromCommand,
  type ManyInput,
  type ManyResult,
  type ObjectHashes,
  type PhotoDnaHasher,
  Pipeline,
  type PipelineOptions,
} from './pipeline/index.js';
export { QuarantineDesk } from './quarantine-desk.js';
export type { RemoteOptions } from './remote.js';
export type { JournalEntry, JournalState, KeyProvider } from './store/index.js';
export { isHeldElsewhere, keyFromCallback, keyFromEnvironment, keyFromFile } from './store/index.js';
export {
  journalRef,
  matchedNow,
  objectOf,
  openInventory,
  type RematchRequest,
  type RematchSummary,
  rematchInventory,
  stateStored,
} from './stored-objects.js';
export type { Suppressions } from './suppress.js';
export type { SyncAlarm, SyncResult } from './sync/index.js';
export type { FlushOutcome, TelemetryAlarm, TelemetryPreview } from './telemetry/index.js';
export { TelemetryDesk } from './telemetry-desk.js';
export { type PolicyTrial, tryOnInventory, tryOnJournal } from './try-policy.js';
