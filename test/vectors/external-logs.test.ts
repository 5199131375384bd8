import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLogVectors, replayVector } from '../support/log-vectors.js';

// Logs made outside the project, where their directory is named; each on which two other replayers agree.
const dir = process.env['HASHFED_EXTERNAL_VECTORS'];

describe('external logs', () => {
  const logs = dir === undefined ? [] : readLogVectors(join(dir, 'logs'));

  it('are all there where they are named', () => {
    expect(logs.length > 0).toBe(dir !== undefined);
  });

  for (const log of logs)
    it(`replays ${log.name} to the expected values`, () => {
      expect(replayVector(log.origin, log.entries)).toEqual(log.expected);
    });
});
