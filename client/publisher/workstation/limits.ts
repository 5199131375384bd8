/** Deadlines of the publishing path, milliseconds. */
export const CALL_MS = 30_000;
export const COMMIT_MS = 10 * 60_000;
export const UPLOAD_MS = 6 * 3_600_000;
/** A stream without a message for this long has failed, milliseconds. */
export const IDLE_MS = 60_000;
/** Bytes of one entry on the wire, with its length and its share of the frame: caps what a pull may take. */
export const MAX_ENTRY_WIRE_BYTES = 1100;
/** Versions of a root chain that are walked; at one a day this is 27 years. */
export const MAX_ROOT_VERSIONS = 10_000;
/** How often a batch is prepared again when the list moved on meanwhile. */
export const PREPARE_ATTEMPTS = 3;
