/** The door of telemetry: what a hoster counts, how it is reported, and how reports and receipts are checked. */
export { type AgentOptions, type Reply, TelemetryAgent } from './agent.js';
export { askHolder, type Question } from './ask.js';
export { type CheckedReport, parseReport, unitOf } from './check.js';
export { type DueInput, type DueWindows, dueWindows } from './due.js';
export { type CountedWindow, cellKey, foldCounts, isEmpty } from './fold.js';
export { actionName, classificationName, matchName, reportJson } from './json.js';
export * from './limits.js';
export { MemberBook, type MemberBookOptions } from './members.js';
export { makeReceipt, type ReceiptKeys, type ReceiptSigner, readReceipt, verifyReceipt } from './receipt.js';
export { basisOf, buildReport, makeReport, NO_COVERAGE, type ReportFacts, type Slot } from './report.js';
export { readSigningKey } from './signing-key.js';
export { type SubmitDeps, type SubmitOutcome, submitQueued } from './submit.js';
export {
  GROUPS,
  type Group,
  type Increment,
  RECEIVED,
  type Sum,
  sumName,
  type TalliedObject,
  tallyObject,
} from './tally.js';
export {
  alarmsOf,
  type FlushOutcome,
  Telemetry,
} from './telemetry.js';
export type * from './types.js';
export * from './window.js';
