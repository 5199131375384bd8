import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkLongStream, checkSparseFile, digestOfZeros, MIB } from '../../support/large-objects.js';
import { IMAGES, temporaryFolder } from './parts.js';

const BYTES = 512 * MIB + 5;
/** MiB: buffers of one file or stream, a thread, and what a collector leaves for later. The object is ten times that. */
const FEW = 50;
/** And an image's bytes, of which 64 MiB are kept before it is given up as one. */
const IMAGE = 64 + FEW;

describe('objects much larger than the memory they may take', () => {
  const folder = temporaryFolder();

  it('a file', async () => {
    const { grown, ...object } = await checkSparseFile(folder, BYTES);
    expect(object).toEqual({ bytes: BYTES, sha256: digestOfZeros(BYTES), undecoded: 'unsupported' });
    expect(grown).toBeLessThan(FEW);
  });

  it('a stream', async () => {
    const { grown, ...object } = await checkLongStream(BYTES);
    expect(object).toEqual({ bytes: BYTES, sha256: digestOfZeros(BYTES), undecoded: 'unsupported' });
    expect(grown).toBeLessThan(FEW);
  });

  it('a stream that begins like an image', async () => {
    const { grown, bytes, undecoded } = await checkLongStream(BYTES, join(IMAGES, 'room-2.jpg'));
    expect({ bytes, undecoded }).toEqual({ bytes: BYTES, undecoded: 'too-many-bytes' });
    expect(grown).toBeLessThan(IMAGE);
  });
});
