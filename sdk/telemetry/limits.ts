/** Limits of telemetry, with unit and reason. */

/** A window takes revisions until this long after its end, milliseconds; later ones alter no figure. */
export const WINDOW_OPEN_MS = 48 * 3_600_000;
/** A report without the monitor's receipt after this long is an alarm, milliseconds. */
export const MONITOR_ALARM_MS = 72 * 3_600_000;
/** Bytes of a report's body: 256 cells, 256 lists and 64 publishers, twice, need less than 80 KiB. */
export const MAX_REPORT_BYTES = 256 * 1024;
/** Bytes of a receipt's body. */
export const MAX_RECEIPT_BYTES = 4 * 1024;
/** Cells, lists and publishers of one report (telemetry.proto). */
export const MAX_CELLS = 256;
export const MAX_LISTS = 256;
export const MAX_PUBLISHERS = 64;
/** Bytes of the SDK's version text. */
export const MAX_VERSION_BYTES = 64;
/** Revisions of one window: one a minute for three days, and room. */
export const MAX_REVISION = 10_000;
/** Deadline of one call, milliseconds. */
export const CALL_MS = 10_000;
/** How often the holder of the ledger looks for counts and requests of other processes, milliseconds. */
export const AGENT_TICK_MS = 1_000;
/** How often it closes windows and sends what is queued, milliseconds. */
export const AGENT_SEND_MS = 60_000;
/** How often it asks again for the monitor's receipt, milliseconds. */
export const MONITOR_ASK_MS = 3_600_000;
/** How long another process waits for the holder's answer, milliseconds. */
export const ASK_WAIT_MS = 30_000;
/** Requests and answers between processes are dropped after this long, milliseconds: who asked is gone. */
export const ASK_KEEP_MS = 120_000;
/** Versions that one walk of the member directory takes: one a day for five years. */
export const MAX_DIRECTORY_STEPS = 2_000;
