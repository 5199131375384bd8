export { FramedReader } from './framed-reader.js';
export { BufferedFile, FramedWriter, frame, writeMessageFile } from './framed-writer.js';
export * from './limits.js';
export { BATCH_FILE, EVIDENCE_FILE, type FileKind, RECORD_FILE, REQUEST_FILE, SIGNED_FILE } from './magic.js';
export { decodeMessage, packFile, unpackFile } from './packed.js';
