import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { SignedBatch, SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import { HashfedError, malformed, parseOrigin } from '../../../sdk/core/index.js';
import {
  decodeMessage,
  FramedReader,
  packFile,
  REQUEST_FILE,
  SIGNED_FILE,
  unpackFile,
} from '../files/index.js';

const MAX_RANGES = 256;

/** A request whose message was parsed and whose bundles are still to be read, list by list. MUST be closed. */
export interface OpenRequest {
  readonly request: SigningRequest;
  readonly reader: FramedReader;
}

/** Throws USAGE, MALFORMED, UPGRADE_REQUIRED. */
export async function openRequest(file: string): Promise<OpenRequest> {
  const reader = await FramedReader.open(file, REQUEST_FILE);
  try {
    const request = decodeMessage(REQUEST_FILE, SigningRequest, reader.message);
    checkRanges(request);
    return { request, reader };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** One range per list, ascending, so that there is one order and no duplicate. */
function checkRanges({ ranges }: SigningRequest): void {
  if (ranges.length === 0 || ranges.length > MAX_RANGES) malformed('ranges', `needs 1 to ${MAX_RANGES}`);
  ranges.forEach(({ origin }, i) => {
    const before = ranges[i - 1]?.origin ?? '';
    if (parseOrigin(origin).text <= before) malformed('ranges', 'are not ascending by origin');
  });
}

/** SHA-256 of a file, 32 bytes. Throws USAGE where it cannot be read. */
export async function digestFile(file: string): Promise<Uint8Array> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read ${file}`, { field: 'file', cause });
  });
  return new Uint8Array(hash.digest());
}

export const packSigned = (signed: SignedBatch): Uint8Array =>
  packFile(SIGNED_FILE, SignedBatch.encode(signed).finish());

/** Parses what a signer released. Throws MALFORMED, UPGRADE_REQUIRED. */
export const parseSigned = (file: Uint8Array): SignedBatch => unpackFile(SIGNED_FILE, SignedBatch, file);
