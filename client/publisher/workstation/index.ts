export { type CommittedList, commitSigned, mergeSigned } from './commit.js';
export { type HoldJob, writeHold } from './hold.js';
export { type KeyAtHand, keysAtHand, openKey, recordFile, signedSizes, usableKeys } from './key-ring.js';
export {
  connect,
  openWorkstation,
  type PublisherPaths,
  publisherPaths,
  type Workstation,
  type WorkstationDeps,
} from './open.js';
export { ownLists, requireList } from './origins.js';
export { type PendingBatch, pendingBatches } from './outbox.js';
export { takeOutbox } from './outbox-lock.js';
export {
  type PrepareJob,
  type PrepareOutcome,
  prepareForSigning,
  type WrittenRequest,
} from './prepare.js';
export {
  type ListOutcome,
  type PublishJob,
  type PublishOutcome,
  publishBatch,
  pullOwnLists,
  signWith,
} from './publish.js';
export { type OnEntries, pullReplica, type Replica } from './replica.js';
export { type Asked, type RequestJob, writeRequest } from './requests.js';
export { type Resumed, resumePending } from './resume.js';
export { type StagedList, stageBatch } from './stage.js';
export { type BatchState, batchStatus } from './status.js';
export { uploadAndPrepare } from './upload.js';
export {
  parseTarget,
  stillListed,
  type WithdrawJob,
  type WithdrawnRecord,
  type WithdrawTarget,
  writeWithdrawal,
} from './withdraw.js';
