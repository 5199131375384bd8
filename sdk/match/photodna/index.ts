/** Matching of PhotoDNA values, which are opaque here: a licensee computes them elsewhere. */
export { PHOTODNA_BYTES, type PhotoDnaComparator, squaredEuclidean } from './comparator.js';
export { PhotoDnaIndex, type PhotoDnaMatch } from './photodna-index.js';
