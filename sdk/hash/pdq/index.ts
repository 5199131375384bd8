/** Perceptual hashing of images with PDQ. */

export { formatPdq, HASH_BYTES, parsePdq } from './bits.js';
export { type PdqDihedral, type PdqHash, PdqHasher } from './core.js';
export { DIHEDRALS, type Dihedral } from './dihedral.js';
export { hashImage } from './image.js';
export { DEFAULT_MAX_BYTES, DEFAULT_MAX_PIXELS, DEFAULT_TIMEOUT_MS, MAX_FRAMES, MIN_SIDE } from './limits.js';
export { PdqPool, type PdqPoolOptions } from './pool.js';
export { type ImageFormat, sniff } from './sniff.js';
export type { ImageInput, PdqFailure, PdqFrame, PdqImage, PdqImageOptions } from './types.js';
