import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProcessFederation, runCommand, startFederation } from '../support/federation-process.js';

const ORIGIN = 'dev.hashfed.example/selftest/sha256/g1';
const SOURCE = join(import.meta.dirname, 'go/verify.go');

let federation: ProcessFederation;
let scratch: string;
let verifier: string;
let exported: string;

/** Debian's golang-golang-x-mod-dev puts its sources under /usr/share/gocode. */
const goEnv = () => ({
  ...process.env,
  GO111MODULE: 'off',
  GOPATH: '/usr/share/gocode',
  GOFLAGS: '',
  GOCACHE: join(scratch, 'cache'),
});

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hashfed-go-'));
  verifier = join(scratch, 'verify');
  exported = join(scratch, 'export');
  const built = await runCommand('go', ['build', '-o', verifier, SOURCE], goEnv());
  expect(built.stderr).toBe('');
  federation = await startFederation();
  const { code, stderr } = await federation.run(
    'hoster-a',
    'log',
    'export',
    '--origin',
    ORIGIN,
    '--out',
    exported,
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  for (const [name, ...args] of [
    ['inclusion', 'inclusion', '--index', '1'],
    ['consistency', 'consistency', '--from', '2'],
  ] as const) {
    const proof = await federation.run('hoster-a', 'proof', ...args, '--origin', ORIGIN, '--json');
    expect(proof.code).toBe(0);
    await writeFile(join(scratch, `${name}.json`), proof.stdout);
  }
}, 180_000);

afterAll(async () => {
  await federation?.stop();
  await rm(scratch, { recursive: true, force: true });
});

const proofs = () => [join(scratch, 'inclusion.json'), join(scratch, 'consistency.json')];

describe('a Go verifier on golang.org/x/mod', () => {
  it('verifies an exported list and its proofs', async () => {
    const { code, stdout, stderr } = await runCommand(verifier, [exported, ...proofs()]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toBe(`verified ${ORIGIN} size 4, 2 proofs\n`);
  });

  it.each([
    [
      'the root in the checkpoint',
      'checkpoint',
      (text: string) => text.replace(/\n([A-Za-z0-9+/])/g, (_, c: string) => `\n${c === 'A' ? 'B' : 'A'}`),
    ],
    ['the size in the checkpoint', 'checkpoint', (text: string) => text.replace('\n4\n', '\n3\n')],
    [
      'a leaf hash',
      'leaves.hex',
      (text: string) => (text.startsWith('0') ? `1${text.slice(1)}` : `0${text.slice(1)}`),
    ],
    ['a missing leaf hash', 'leaves.hex', (text: string) => text.slice(65)],
    ['another key', 'key.vkey', (text: string) => text.replace(/.(\s*)$/, (_, end: string) => `${end}`)],
  ])('refuses a copy with %s changed', async (_name, file, change) => {
    const copy = join(scratch, 'tampered');
    await rm(copy, { recursive: true, force: true });
    await cp(exported, copy, { recursive: true });
    const before = await readFile(join(copy, file), 'utf8');
    const after = change(before);
    expect(after).not.toBe(before);
    await writeFile(join(copy, file), after);
    expect((await runCommand(verifier, [copy])).code).toBe(1);
  });

  it('refuses entries with one bit changed', async () => {
    const copy = join(scratch, 'flipped');
    await cp(exported, copy, { recursive: true });
    const bytes = await readFile(join(copy, 'entries.bin'));
    bytes[40]! ^= 1;
    await writeFile(join(copy, 'entries.bin'), bytes);
    expect((await runCommand(verifier, [copy])).stderr).toContain('entry 0 does not hash to its leaf hash');
  });

  it.each([0, 1])('refuses proof %i with a hash changed', async (which) => {
    const proof = JSON.parse(await readFile(proofs()[which]!, 'utf8')) as { hashes: string[] };
    proof.hashes[0] = 'ab'.repeat(32);
    const file = join(scratch, `bad-${which}.json`);
    await writeFile(file, JSON.stringify(proof));
    expect((await runCommand(verifier, [exported, file])).code).toBe(1);
  });
});
