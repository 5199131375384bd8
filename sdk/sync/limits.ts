/** Limits of following lists, with unit and reason. */

/** Deadline of a unary call, milliseconds: the protocol states 10 s, slow lines get three times that. */
export const CALL_MS = 30_000;
/** Longest wait for the next message of a data stream, milliseconds: a byte a second must not hold us. */
export const IDLE_MS = 60_000;
/**
 * A source must send at least this many bytes a second on average once we waited for it that long, milliseconds: below
 * the slowest line that could follow a list at all, another source is asked.
 */
export const MIN_BYTES_PER_S = 2_048;
export const PACE_AFTER_MS = 2 * 60_000;
/** Deadline of one data stream, milliseconds: 10 M entries over a slow line; it is taken up again afterwards. */
export const STREAM_MS = 3_600_000;
/** While watching, every source is asked this often, milliseconds: the one watched may withhold. */
export const SWEEP_MS = 5 * 60_000;
/** A watch stream is silent for at most this long, milliseconds: the longest heartbeat and some grace. */
export const WATCH_IDLE_MS = 75_000;
/** First and longest wait before a failed watch is opened again, milliseconds. */
export const WATCH_BACKOFF_MIN_MS = 250;
export const WATCH_BACKOFF_MAX_MS = 60_000;
/** A server cannot keep its clients away for longer, milliseconds. */
export const MAX_WAIT_MS = 3_600_000;
/** Frame and field bytes around the payload of one message. */
export const MESSAGE_OVERHEAD_BYTES = 64;
/** Bytes of one entry at worst: its length, the leaf, and a message of its own around it. */
export const MAX_ENTRY_BYTES = 2 + 1024 + MESSAGE_OVERHEAD_BYTES;
/** Times a cut stream is taken up again without one entry in between. */
export const MAX_IDLE_RESUMES = 4;
/** Root versions fetched in one walk: a hostile server cannot make us walk for ever. */
export const MAX_ROOT_STEPS = 1_024;
/** Bytes of entries that are buffered before they are staged on disk: what a cut first sync loses. */
export const STAGE_BYTES = 8 * 1024 * 1024;
/** Entries in deltas over a base after which the base is written anew. */
export const FOLD_ENTRIES = 200_000;
/** Commit times remembered per list; of more, the oldest two become one and the later time counts. */
export const MAX_ARRIVALS = 256;
/** Evidence kept per list, pieces: a liar must not fill the disk. */
export const MAX_EVIDENCE = 16;
/** Bytes of one hold in a snapshot index. */
export const HOLD_ROW_BYTES = 33;
/** A tail of at most this many entries is pulled without asking for a snapshot. */
export const SNAPSHOT_MIN_TAIL = 100_000;
/** A wall clock that fell behind the monotonic one by this much cannot judge ages, milliseconds. */
export const CLOCK_BACK_MS = 10 * 60_000;
