export { type CheckedRange, checkRange, type LeafCounts } from './check-range.js';
export { fileBody, type RecordDisk, recordDisk } from './record.js';
export {
  packSigningRequest,
  parseSignedBatch,
  parseSigningRequest,
  type SignerDeps,
  signRequest,
} from './signer.js';
