import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

const HASHFED = join(import.meta.dirname, '../../dist/client/main.js');

let federation: ProcessFederation;
let scratch: string;
let watcher: ChildProcess;

beforeAll(async () => {
  federation = await startFederation();
  scratch = await mkdtemp(join(tmpdir(), 'hashfed-watch-'));
  const config = join(federation.member('hoster-a'), 'hashfed.json');
  watcher = spawn(process.execPath, [HASHFED, 'sync', '--watch', '--json', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: watcher.stdout! }).on('line', (line) => {
      if (line.includes('"watching"')) resolve();
    });
    watcher.once('exit', () => reject(new Error('the watcher ended')));
  });
}, 60_000);

afterAll(async () => {
  watcher?.kill('SIGKILL');
  await federation?.stop();
  await rm(scratch, { recursive: true, force: true });
});

describe('beside a watching process that holds the store', () => {
  it('check, scan, lists, status and telemetry work', async () => {
    const selftest = join(federation.folder, 'selftest');
    const run = (...args: string[]) => federation.run('hoster-a', ...args);
    expect((await run('check', join(selftest, 'selftest-1.txt'))).code).toBe(10);
    const scanned = await run('scan', selftest, '--json');
    expect(scanned.code).toBe(10);
    const lines = scanned.stdout.trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ event: 'summary', matches: 3, complete: true });
    expect((await run('lists')).code).toBe(0);
    expect((await run('status')).code).toBe(0);
    expect((await run('telemetry', 'show')).code).toBe(0);
  });

  it('what needs the store says which process has it', async () => {
    const { code, stderr } = await federation.run('hoster-a', 'quarantine', 'list');
    expect(code).toBe(1);
    expect(stderr).toMatch(/in use by another process.*sync --watch/);
  });

  it('the watcher ends well when asked to, and what was found beside it is in the journal', async () => {
    const ended = once(watcher, 'exit');
    watcher.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    const { code, stdout } = await federation.run('hoster-a', 'quarantine', 'list', '--json');
    expect(code).toBe(0);
    const { entries } = JSON.parse(stdout) as { entries: { ref: string; drill: boolean }[] };
    expect(entries).toHaveLength(3);
    for (const { drill } of entries) expect(drill).toBe(true);
  });
});
