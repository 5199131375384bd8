import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatVkey, hashLeaf, toHex } from '../../sdk/core/index.js';
import { type ProcessFederation, runCommand, startFederation } from '../support/federation-process.js';
import { TestPublisher } from '../support/liar/publisher.js';
import { T0 } from '../support/trust/bodies.js';
import { suite, testKey } from '../support/trust/keys.js';
import { cosigner } from '../support/trust/log.js';

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

  it.each(['g1', 'g2'])('verifies cosignatures and an erased entry, generation %s', async (generation) => {
    const folder = await cosignedExport(generation);
    const { code, stdout, stderr } = await runCommand(verifier, [folder]);
    expect(stderr).toBe('');
    expect([code, stdout]).toEqual([
      0,
      `verified police.example/abuse/sha256/${generation} size 8, 0 proofs\n`,
    ]);
  });

  it.each(['cosigned for another time', 'cosigned by nobody'])('refuses what was %s', async (how) => {
    const folder = await cosignedExport('g1');
    const file = join(folder, 'checkpoint');
    const lines = (await readFile(file, 'utf8')).split('\n');
    const at = lines.findIndex((line) => line.startsWith('— witness'));
    const [dash, name, signature = ''] = lines[at]!.split(' ');
    const blob = Buffer.from(signature, 'base64');
    blob[11]! ^= 1;
    lines.splice(at, 1, ...(how.endsWith('time') ? [[dash, name, blob.toString('base64')].join(' ')] : []));
    await writeFile(file, lines.join('\n'));
    expect((await runCommand(verifier, [folder])).code).toBe(1);
  });
});

/** A list with an erased entry, cosigned by its approver and a witness, in the files of an export. */
async function cosignedExport(generation: string): Promise<string> {
  const origin = `police.example/abuse/sha256/${generation}`;
  const police = new TestPublisher('police', [{ origin }], () => T0);
  const log = police.log(origin);
  log.publish(log.adds('entry', 5));
  log.publish([log.withdraw(2)]);
  const list = police.signers(origin, 'one')[0]!;
  const others = [police.approval(), cosigner(testKey('witness'), 'witness.example', T0 / 1000)];
  const vkeys = (signers: typeof others) =>
    signers.map(({ key }) => formatVkey(suite.sha256, key)).join('\n');
  const folder = await mkdtemp(join(scratch, 'cosigned-'));
  const files: [string, string | Uint8Array][] = [
    ['checkpoint', police.note(origin, log.at(), [list, ...others])],
    ['entries.bin', log.bundle(0, log.size, new Set([2]))],
    ['leaves.hex', log.leaves.map((leaf) => `${toHex(hashLeaf(suite.sha256, leaf))}\n`).join('')],
    ['key.vkey', vkeys([list])],
    ['cosigners.vkeys', vkeys(others)],
  ];
  for (const [name, content] of files) await writeFile(join(folder, name), content);
  return folder;
}
