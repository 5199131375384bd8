/** Limits of perceptual hashing, with unit and reason. Uploads are hostile: each bounds memory or time. */

/** Images with a shorter side have no hash (PDQ reference implementation), pixels. */
export const MIN_SIDE = 5;
/** Sides above this are first resized to a square of this side (PDQ reference tool), pixels. */
export const MAX_CORE_SIDE = 512;
/** Side that the core itself accepts, pixels: keeps `width * height` and the scratch buffers bounded. */
export const MAX_LUMA_SIDE = 4_096;
/** Pixels of one frame before decoding: a 100-megapixel photograph passes, a decompression bomb does not. */
export const DEFAULT_MAX_PIXELS = 100_000_000;
/** Encoded bytes read for one image. */
export const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** Frames hashed of one animation unless the caller asks for more. */
export const DEFAULT_FRAMES = 1;
/** Frames that a caller may ask for: each is decoded in turn, so this bounds time, not memory. */
export const MAX_FRAMES = 64;
/** Time for one image, from the first byte to the hash, milliseconds; whole seconds reach the decoder. */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** Worker threads of one pool. */
export const MAX_WORKERS = 64;
/** Jobs that wait in a pool for a worker, per worker. */
export const DEFAULT_QUEUE_PER_WORKER = 4;
/** Encoded bytes that wait in a pool or are being decoded. */
export const DEFAULT_QUEUE_BYTES = 256 * 1024 * 1024;
/** A worker is replaced after this many jobs, so that what a decoder leaks stays bounded. */
export const JOBS_PER_WORKER = 50_000;
/** Frames from which those to hash are chosen: reaching frame n of an animation takes decoding n. */
export const MAX_PAGES = 1_000;
/** Milliseconds that a worker may exceed the time limit of its job before it is stopped. */
export const WORKER_GRACE_MS = 2_000;
/** JavaScript heap of a worker, MiB: pixels lie outside it, so this bounds what is not an image. */
export const WORKER_HEAP_MB = 128;
