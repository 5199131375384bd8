/** Limits of the pipeline, with unit and reason. */

/** Files handed to a hashing thread at once, at most: a message costs more than a small file. */
export const BATCH_FILES = 32;
/** Batches a thread has in hand, so that it never waits for the next message. */
export const BATCHES_IN_HAND = 2;
/** Objects in work at once for each hashing thread unless the caller says otherwise: bounds what is held of each. */
export const OBJECTS_PER_WORKER = 64;
/** Objects in work at once, at most. */
export const MAX_OBJECTS = 4_096;
/** Hashing threads, at most. */
export const MAX_WORKERS = 64;
/** First bytes of an object that tell whether it is an image. */
export const HEAD_BYTES = 32;
/** Bytes of images that streams keep until their end, all streams together: 256 MiB. */
export const STREAM_BUFFER_BYTES = 256 * 1024 * 1024;
/** A stream that finds those full waits so long, all in all, then goes on without a perceptual hash, milliseconds. */
export const STREAM_WAIT_MS = 5_000;
/** Perceptual values of one object, at most: frames of one animation, each eightfold where turned copies count. */
export const MAX_VALUES = 64;
