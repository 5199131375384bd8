import {
  type Codec,
  concat,
  decodeStrict,
  equalBytes,
  HashfedError,
  malformed,
  readU32,
} from '../../../sdk/core/index.js';
import { frame } from './framed-writer.js';
import { MAX_FILE_MESSAGE_BYTES } from './limits.js';
import type { FileKind } from './magic.js';

interface Versioned {
  readonly formatVersion: number;
}

/** `magic | u32 length | message`, for files that are a message alone. */
export function packFile(kind: FileKind, message: Uint8Array): Uint8Array {
  return concat(kind.magic, ...frame(message));
}

/** The message of a file that is a message alone. Throws MALFORMED, UPGRADE_REQUIRED. */
export function unpackFile<T extends Versioned>(kind: FileKind, codec: Codec<T>, bytes: Uint8Array): T {
  if (bytes.length < 12 || !equalBytes(bytes.subarray(0, 8), kind.magic))
    malformed(kind.name, 'this is no such file, or one of another format');
  if (readU32(bytes, 8) !== bytes.length - 12) malformed(kind.name, 'is not as long as it says');
  return decodeMessage(kind, codec, bytes.subarray(12));
}

/** Parses a message strictly. Throws MALFORMED, UPGRADE_REQUIRED. */
export function decodeMessage<T extends Versioned>(kind: FileKind, codec: Codec<T>, message: Uint8Array): T {
  const value = decodeStrict(codec, message, kind.name, MAX_FILE_MESSAGE_BYTES);
  if (value.formatVersion !== 1)
    throw new HashfedError('UPGRADE_REQUIRED', `the ${kind.name} is of another format version`);
  return value;
}
