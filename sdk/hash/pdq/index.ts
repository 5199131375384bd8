/** Perceptual hashing of images with PDQ. */

export { formatPdq, HASH_BYTES, parsePdq } from './bits.js';
export { type PdqDihedral, type PdqHash, PdqHasher } from './core.js';
export { DIHEDRALS, type Dihedral } from './dihedral.js';
