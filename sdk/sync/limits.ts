/** Limits of following lists, with unit and reason. */

/** Deadline of a unary call, milliseconds; the protocol states 10 s. */
export const CALL_MS = 10_000;
/** Longest wait for the next message of a data stream, milliseconds. */
export const IDLE_MS = 60_000;
/** Deadline of one data stream, milliseconds: 10 M entries over a slow line; it is taken up again afterwards. */
export const STREAM_MS = 3_600_000;
/** Deadline of one watch stream, milliseconds: it is opened anew, so that an unbalanced server is left. */
export const WATCH_MS = 3_600_000;
/** A watch stream is silent for at most this long, milliseconds: the longest heartbeat and some grace. */
export const WATCH_IDLE_MS = 75_000;
/** While watching, every source is asked this often, milliseconds: the one watched may withhold. */
export const SWEEP_MS = 5 * 60_000;
/** First and longest wait before a failed watch is opened again, milliseconds. */
export const WATCH_BACKOFF_MIN_MS = 250;
export const WATCH_BACKOFF_MAX_MS = 30_000;
/** Frame and field bytes around the bundles of one message. */
export const MESSAGE_OVERHEAD_BYTES = 64;
/** A bundle names its entries one by one at worst: bytes of an entry with its length and a message of its own. */
export const MAX_ENTRY_BYTES = 2 + 1024 + MESSAGE_OVERHEAD_BYTES;
/** Times a cut stream is taken up again without one entry in between. */
export const MAX_IDLE_RESUMES = 3;
/** Root versions fetched in one go; a publisher rotates keys a few times a year. */
export const MAX_ROOT_STEPS = 1_000;
/** Bytes of entries that are buffered before a cut first sync would lose them. */
export const STAGE_BYTES = 8 * 1024 * 1024;
/** Pending delta entries after which the base is written anew in the background. */
export const FOLD_ENTRIES = 200_000;
/** Commit times remembered per list; beyond, the oldest two become one, the later time counts. */
export const MAX_ARRIVALS = 256;
/** Fork evidence kept per list: the first ones prove as much as later ones. */
export const MAX_EVIDENCE = 64;
/** Bytes of an index or a snapshot answer that is one message. */
export const MAX_INDEX_BYTES = 4 * 1024 * 1024;
/** Bytes of one hold in a snapshot index. */
export const HOLD_ROW_BYTES = 33;
/** A tail of at most this many entries is pulled without asking for a snapshot. */
export const SNAPSHOT_MIN_TAIL = 100_000;
/** A wall clock that fell behind the monotonic one by this much cannot judge ages, milliseconds. */
export const CLOCK_BACK_MS = 10 * 60_000;
