import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkLongStream, checkSparseFile, MIB } from '../support/large-objects.js';

const TEN_GIB = 10 * 1024 * MIB;
/** SHA-256 of so many zeros, as `truncate -s 10G zeros && sha256sum zeros` prints it. */
const DIGEST = '732377e7f4a2abdc13ddfa1eb4c9c497fd2a2b294674d056cf51581b47dd586d';
/** MiB; as for half a gigabyte (test/unit/pipeline/large-objects.test.ts). */
const FEW = 50;
const IMAGE = 64 + FEW;
const MINUTES = 600_000;

const folder = mkdtempSync(join(tmpdir(), 'hashfed-large-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('ten gigabytes in the memory of a few megabytes', () => {
  it.concurrent('a file', { timeout: MINUTES }, async () => {
    const { grown, ...object } = await checkSparseFile(folder, TEN_GIB);
    expect(object).toEqual({ bytes: TEN_GIB, sha256: DIGEST, undecoded: 'unsupported' });
    expect(grown).toBeLessThan(FEW);
  });

  it.concurrent('a stream that begins like an image', { timeout: MINUTES }, async () => {
    const picture = join(import.meta.dirname, '../fixtures/images/room-2.jpg');
    const { grown, bytes, undecoded } = await checkLongStream(TEN_GIB, picture);
    expect({ bytes, undecoded }).toEqual({ bytes: TEN_GIB, undecoded: 'too-many-bytes' });
    expect(grown).toBeLessThan(IMAGE);
  });
});
