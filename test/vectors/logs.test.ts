import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { logScenarios } from '../support/log-scenarios.js';
import { readLogVectors, replayVector } from '../support/log-vectors.js';

const dir = fileURLToPath(new URL('./logs', import.meta.url));
const scenarios = logScenarios();

// HASHFED_WRITE_VECTORS=1 writes them anew; a difference then shows in version control.
if (process.env['HASHFED_WRITE_VECTORS'] === '1')
  for (const { name, origin, entries } of scenarios) {
    mkdirSync(`${dir}/${name}`, { recursive: true });
    writeFileSync(`${dir}/${name}/origin.txt`, `${origin}\n`);
    writeFileSync(`${dir}/${name}/entries.bin`, entries);
    writeFileSync(`${dir}/${name}/expected.json`, `${JSON.stringify(replayVector(origin, entries), null, 1)}\n`);
  }

describe('committed logs', () => {
  const logs = readLogVectors(dir);

  it('are those that the scenarios build, byte for byte', () => {
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    const stored = logs.map(({ name, origin, entries }) => ({ name, origin, entries })).sort(byName);
    expect(stored).toEqual([...scenarios].sort(byName));
  });

  for (const log of logs)
    it(`replays ${log.name} to the expected values`, () => {
      expect(replayVector(log.origin, log.entries)).toEqual(log.expected);
    });
});
