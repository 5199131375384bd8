/** hashfed for hosters: `open`, `sync`, `check`, and what stands around them. */
export { type CheckInput, hashInput, parseTypedHash } from './check.js';
export { type ClientConfig, type LoadedConfig, loadConfig } from './config/index.js';
export { type ErrorCode, HashfedError } from './core/index.js';
export { type CountedObject, type Counting, NO_COUNTING } from './counting.js';
export { type CheckOptions, Hashfed, type ListStatus, type SyncSummary } from './hashfed.js';
export {
  type Action,
  describePolicy,
  type Match,
  type Policy,
  parsePolicy,
  type Verdict,
} from './match/index.js';
export { MatchingList } from './matching-list.js';
export { type OpenOptions, open, openDeps, systemClock, systemRandom } from './open.js';
export type { JournalEntry, JournalState, KeyProvider } from './store/index.js';
export { keyFromCallback, keyFromEnvironment, keyFromFile } from './store/index.js';
export type { FlushOutcome, TelemetryAlarm, TelemetryPreview } from './telemetry/index.js';
export { TelemetryDesk } from './telemetry-desk.js';
