/** Hosters' counts and sync states on the server: taken, kept, handed to the monitor. Nothing here ranks anyone. */
export { putMonitorReceipts } from './acknowledge.js';
export type { TelemetryDeps } from './deps.js';
export { Feed } from './feed.js';
export { queryTelemetry } from './query.js';
export { Receiver } from './receive.js';
export { SyncStates } from './sync-states.js';
export { watchTelemetry } from './watch.js';
