/** The perceptual index: PDQ hashes within a Hamming distance. */

export { DEFAULT_CAP, MATCH_DISTANCE, MAX_CAP, MAX_DISTANCE, MAX_ROWS } from './limits.js';
export { type PdqChanges, PdqIndex, type PdqMatches } from './pdq-index.js';
export type { SliceOptions } from './slices.js';
