export {
  type CheckedRange,
  checkRange,
  compactRangeOf,
  type RangeCheck,
  readRange,
} from './check-range.js';
export { LeafCounter, type LeafCounts } from './leaf-counts.js';
export { loadRecord, type RecordDisk, recordDisk } from './record.js';
export { digestFile, type OpenRequest, openRequest, packSigned, parseSigned } from './request.js';
export { rootOfRequest } from './root-check.js';
export { type SignerDeps, signRequest } from './signer.js';
