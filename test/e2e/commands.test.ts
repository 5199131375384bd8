import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRequest } from '../../client/pki/index.js';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

const ORIGIN = 'dev.hashfed.example/selftest/sha256/g1';

let federation: ProcessFederation;
let scratch: string;
let listed: string;
let clean: string;
let exported: string;
let request: string;

beforeAll(async () => {
  federation = await startFederation();
  scratch = await mkdtemp(join(tmpdir(), 'hashfed-commands-'));
  listed = join(federation.folder, 'selftest/selftest-1.txt');
  clean = join(scratch, 'clean.txt');
  exported = join(scratch, 'export');
  await writeFile(clean, 'nothing to see here\n');
  await expectExit(0, 'hoster-a', 'sync');
  await expectExit(0, 'hoster-a', 'log', 'export', '--origin', ORIGIN, '--out', exported);
  await expectExit(0, 'operator', 'member', 'add', 'expelled', '--role', 'hoster', '--reads', '*');
  await expectExit(0, 'operator', 'member', 'revoke', 'expelled');
  const { requestPem } = await makeRequest({ federation: 'dev.hashfed.example', member: 'hoster-b' });
  request = join(scratch, 'request.csr');
  await writeFile(request, requestPem);
}, 120_000);

afterAll(async () => {
  await federation?.stop();
  await rm(scratch, { recursive: true, force: true });
});

async function expectExit(code: number, member: string, ...args: readonly string[]) {
  const answer = await federation.run(member, ...args);
  expect({ args, stderr: answer.stderr, code: answer.code }).toMatchObject({ code });
  return answer;
}

describe('a configuration', () => {
  it('is refused by field where a cosigner key is none', async () => {
    const file = join(federation.member('hoster-b'), 'hashfed.json');
    const text = await readFile(file, 'utf8');
    const cosigners = { threshold: 1, keys: ['x+1234abcd+BAAA'] };
    await writeFile(file, JSON.stringify({ ...JSON.parse(text), cosigners }));
    const { stderr } = await expectExit(2, 'hoster-b', 'lists');
    expect(stderr).toContain(`${file}: cosigners.keys.0: `);
    await writeFile(file, text);
  });
});

describe('exit codes', () => {
  it.each<[number, string, string, () => string[]]>([
    [0, 'a file that matches nothing', 'hoster-a', () => ['check', clean]],
    [10, 'a file that matches', 'hoster-a', () => ['check', clean, listed]],
    [1, 'a file that is not there beside one that matches', 'hoster-a', () => ['check', listed, 'absent']],
    [2, 'nothing to check', 'hoster-a', () => ['check']],
    [2, 'no hash', 'hoster-a', () => ['check', '--hash', 'sha256:abc']],
    [0, 'a hash that matches nothing', 'hoster-a', () => ['check', '--hash', `sha256:${'0'.repeat(64)}`]],
    [10, 'the server knows the file', 'hoster-a', () => ['check', '--remote', listed]],
    [0, 'the server does not know the file', 'hoster-a', () => ['check', '--remote', clean]],
    [3, 'the monitor may not look hashes up', 'monitor', () => ['check', '--remote', clean]],
    [5, 'nothing was ever synced', 'hoster-b', () => ['check', clean]],
    [10, 'a match outranks staleness', 'hoster-a', () => ['scan', join(federation.folder, 'selftest')]],
    [0, 'a folder without matches', 'hoster-a', () => ['scan', scratch, '--exclude', 'export']],
    [2, 'a file is no folder', 'hoster-a', () => ['scan', clean]],
    [2, 'an impossible number', 'hoster-a', () => ['scan', scratch, '--jobs', '0']],
    [0, 'lists that are fresh', 'hoster-a', () => ['lists']],
    [5, 'lists that were never synced', 'hoster-b', () => ['lists']],
    [0, 'everything works', 'hoster-a', () => ['status']],
    [3, 'a revoked member', 'expelled', () => ['sync']],
    [0, 'hashes of a file', 'hoster-a', () => ['hash', clean]],
    [1, 'hashes of a file that is not there', 'hoster-a', () => ['hash', clean, 'absent']],
    [0, 'an export that is whole', 'hoster-a', () => ['verify', exported]],
    [0, 'what is held', 'hoster-a', () => ['verify']],
    [0, 'a server', 'hoster-a', () => ['verify', '--server', federation.address, '--origin', ORIGIN]],
    [
      3,
      'a server that shows nothing to strangers',
      'expelled',
      () => ['verify', '--server', federation.address],
    ],
    [2, 'no export', 'hoster-a', () => ['verify', scratch]],
    [
      1,
      'an unknown list',
      'hoster-a',
      () => ['log', 'export', '--origin', 'police.example/none/sha256/g1', '--out', join(scratch, 'none')],
    ],
    [
      2,
      'a folder that is not empty',
      'hoster-a',
      () => ['log', 'export', '--origin', ORIGIN, '--out', exported],
    ],
    [
      1,
      'a proof beyond the end',
      'hoster-a',
      () => ['proof', 'inclusion', '--origin', ORIGIN, '--index', '99'],
    ],
    [2, 'no index', 'hoster-a', () => ['proof', 'inclusion', '--origin', ORIGIN, '--index', 'x']],
    [
      2,
      'sizes the wrong way round',
      'hoster-a',
      () => ['proof', 'consistency', '--origin', ORIGIN, '--from', '5'],
    ],
    [0, 'quarantine', 'hoster-a', () => ['quarantine', 'list']],
    [1, 'quarantine of an unknown object', 'hoster-a', () => ['quarantine', 'show', 'unknown']],
    [0, 'withdrawals', 'hoster-a', () => ['withdrawals']],
    [0, 'policy', 'hoster-a', () => ['policy', 'show']],
    [0, 'members', 'hoster-a', () => ['member', 'list']],
    [2, 'a directory key that is not there', 'hoster-a', () => ['member', 'revoke', 'hoster-b']],
    [1, 'an unknown member', 'operator', () => ['member', 'revoke', 'nobody']],
    [0, 'a new certificate', 'operator', () => ['member', 'certify', 'hoster-b', '--csr', request]],
    [1, 'a certificate for nobody', 'operator', () => ['member', 'certify', 'nobody', '--csr', request]],
    [2, 'one for the revoked', 'operator', () => ['member', 'certify', 'expelled', '--csr', request]],
    [1, 'a request that is none', 'operator', () => ['member', 'certify', 'hoster-b', '--csr', clean]],
    [2, 'an unknown role', 'operator', () => ['member', 'add', 'x', '--role', 'king']],
    [2, 'a bad name', 'operator', () => ['member', 'add', 'No Name', '--role', 'hoster']],
    [0, 'completion', 'hoster-a', () => ['completion', 'bash']],
    [2, 'an unknown shell', 'hoster-a', () => ['completion', 'tcsh']],
    [2, 'an unknown command', 'hoster-a', () => ['frobnicate']],
    [2, 'an unknown option', 'hoster-a', () => ['lists', '--frobnicate']],
    [0, 'help', 'hoster-a', () => ['scan', '--help']],
    [2, 'a configuration that is not there', 'nobody', () => ['lists']],
  ])('%i: %s', async (code, _name, member, args) => {
    const { stderr } = await expectExit(code, member, ...args());
    if ([0, 10].includes(code)) expect(stderr).toBe('');
    else expect(stderr.split('\n')[0]).toMatch(/^(hashfed: [^{]+|error: .+)$/);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('4: an export whose files were changed', async () => {
    for (const [file, at] of [
      ['entries.bin', 40],
      ['leaves.hex', 3],
      ['checkpoint', 60],
      ['key.vkey', 60],
    ] as const) {
      const copy = join(scratch, 'tampered');
      await cp(exported, copy, { recursive: true });
      const bytes = await readFile(join(copy, file));
      bytes[at] = bytes[at] === 0x61 ? 0x62 : 0x61;
      await writeFile(join(copy, file), bytes);
      const { code, stderr } = await federation.run('hoster-a', 'verify', copy);
      // A key that is no key any more is bad input; everything else is caught as what it is.
      expect({ file, code }).toEqual({ file, code: file === 'key.vkey' ? 1 : 4 });
      expect(stderr).toMatch(/^hashfed: [A-Z_]+/);
      await rm(copy, { recursive: true });
    }
  });

  it('1: a list that is damaged on disk, until a sync repaired it', async () => {
    const lists = join(federation.member('hoster-a'), 'store', 'lists');
    const files = await readdir(lists, { recursive: true });
    const own = (file: string) => file.startsWith(ORIGIN.replaceAll('/', '_')) && file.endsWith('rows.col');
    const path = join(lists, files.find(own)!);
    const bytes = await readFile(path);
    bytes[200]! ^= 1;
    await writeFile(path, bytes);
    const { stdout } = await expectExit(1, 'hoster-a', 'verify', '--json');
    const { lists: found } = JSON.parse(stdout) as { lists: { origin: string; error?: { code: string } }[] };
    expect(found.filter(({ error }) => error !== undefined)).toMatchObject([
      { origin: ORIGIN, error: { code: 'STORAGE_FAILED' } },
    ]);
    const { stderr } = await expectExit(0, 'hoster-a', 'sync');
    expect(stderr).toMatch(/^hashfed: STORAGE_FAILED .*selftest.*: rows\.col: block 0 .*; repaired now/);
    await expectExit(0, 'hoster-a', 'verify');
    await expectExit(10, 'hoster-a', 'check', listed);
  });

  it('4: a server that is not the one whose root was pinned', async () => {
    const config = join(federation.member('hoster-b'), 'hashfed.json');
    const before = await readFile(config, 'utf8');
    await writeFile(config, before.replace(/"root_sha256": "[0-9a-f]{8}/g, '"root_sha256": "00000000'));
    await expectExit(4, 'hoster-b', 'sync');
    await writeFile(config, before);
  });
});

describe('with --json', () => {
  const json = async (member: string, ...args: string[]) => {
    const { stdout } = await federation.run(member, ...args, '--json');
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  it('check lists every file, whatever the exit code', async () => {
    const [answer] = await json('hoster-a', 'check', listed, 'absent', clean);
    expect(answer).toMatchObject({
      files: [
        { path: listed, verdict: { action: 'test' } },
        { error: { code: 'MALFORMED' } },
        { path: clean, verdict: { action: 'none' } },
      ],
    });
  });

  it('scan prints a line a match and a summary', async () => {
    const lines = await json('hoster-a', 'scan', join(federation.folder, 'selftest'));
    const matches = lines.filter(({ event }) => event === 'match');
    expect(matches).toHaveLength(3);
    for (const match of matches)
      expect(match).toMatchObject({ action: 'test', matches: [{ origin: ORIGIN }] });
    expect(lines.at(-1)).toMatchObject({ event: 'summary', files: 3, matches: 3, complete: true });
  });

  it('lists, status, member list and quarantine list print one object', async () => {
    for (const args of [
      ['lists'],
      ['status'],
      ['member', 'list'],
      ['quarantine', 'list'],
      ['policy', 'show'],
    ])
      expect(await json('hoster-a', ...args)).toHaveLength(1);
  });

  it('sync says what came', async () => {
    const [answer] = await json('hoster-a', 'sync');
    expect(answer).toMatchObject({ failures: [] });
    expect(answer?.['lists']).toHaveLength(7);
  });

  it('proofs are what foreign tools read', async () => {
    const [inclusion] = await json('hoster-a', 'proof', 'inclusion', '--origin', ORIGIN, '--index', '0');
    expect(inclusion).toMatchObject({ leaf_index: 0, tree_size: 4 });
    expect(inclusion?.['hashes']).toHaveLength(2);
    const from = ['proof', 'consistency', '--origin', ORIGIN, '--from', '4'];
    expect((await json('hoster-a', ...from))[0]).toMatchObject({ from_size: 4, tree_size: 4, hashes: [] });
  });
});

describe('quarantine', () => {
  it('lists what was held, says why, and lets it go', async () => {
    await expectExit(10, 'hoster-a', 'check', listed);
    const shown = await expectExit(0, 'hoster-a', 'quarantine', 'show', listed);
    expect(shown.stdout).toContain(ORIGIN);
    const { stdout } = await expectExit(0, 'hoster-a', 'quarantine', 'release', listed, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ released: [listed] });
    const again = await expectExit(0, 'hoster-a', 'quarantine', 'release', listed, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ released: [] });
  });
});

describe('suppress', () => {
  it('lets an item pass at once, releases what it held, and can be undone', async () => {
    const { stdout } = await expectExit(10, 'hoster-a', 'check', listed, '--json');
    const { files } = JSON.parse(stdout) as { files: { verdict: { matches: { item_id: string }[] } }[] };
    const item = files[0]?.verdict.matches[0]?.item_id ?? '';
    const first = await expectExit(0, 'hoster-a', 'suppress', '--item', item, '--json');
    expect(JSON.parse(first.stdout)).toMatchObject({ suppressed: { items: [item] }, released: [listed] });
    const passed = await expectExit(10, 'hoster-a', 'check', listed, '--json');
    expect(JSON.parse(passed.stdout)).toMatchObject({
      files: [{ verdict: { action: 'allow', vetoed_by: 'suppressed' } }],
    });
    const last = await expectExit(0, 'hoster-a', 'suppress', '--item', item, '--remove', '--json');
    expect(JSON.parse(last.stdout)).toMatchObject({ suppressed: { items: [] }, released: [] });
    await expectExit(2, 'hoster-a', 'suppress', '--item', 'xyz');
  });

  it('lets a classification pass, one code of it or all, and can be undone', async () => {
    const { stdout } = await expectExit(10, 'hoster-a', 'check', listed, '--json');
    const { files } = JSON.parse(stdout) as {
      files: { verdict: { matches: { classification: { scheme: number; code: number } }[] } }[];
    };
    const { scheme, code } = files[0]!.verdict.matches[0]!.classification;
    const named = ['--classification', `${scheme}:${code}`];
    const first = await expectExit(0, 'hoster-a', 'suppress', ...named, '--json');
    expect(JSON.parse(first.stdout)).toMatchObject({
      suppressed: { classifications: [{ scheme, codes: [code] }] },
      released: expect.arrayContaining([listed]),
    });
    const passed = await expectExit(10, 'hoster-a', 'check', listed, '--json');
    expect(JSON.parse(passed.stdout)).toMatchObject({
      files: [{ verdict: { action: 'allow', vetoed_by: 'suppressed' } }],
    });
    const last = await expectExit(0, 'hoster-a', 'suppress', ...named, '--remove', '--json');
    expect(JSON.parse(last.stdout)).toMatchObject({ suppressed: { classifications: [] } });
    for (const wrong of ['0', '1:0', '256', '1:2:3', 'x'])
      await expectExit(2, 'hoster-a', 'suppress', '--classification', wrong);
  });
});

describe('hash', () => {
  it('prints type,hex,quality,path and quotes what needs it', async () => {
    const odd = join(scratch, 'a "b", c');
    await writeFile(odd, 'abc');
    const { stdout } = await expectExit(0, 'hoster-a', 'hash', odd);
    const lines = stdout.trimEnd().split('\n');
    const quoted = `"${odd.replaceAll('"', '""')}"`;
    expect(lines).toEqual([
      `md5,900150983cd24fb0d6963f7d28e17f72,,${quoted}`,
      `sha1,a9993e364706816aba3e25717850c26c9cd0d89d,,${quoted}`,
      `sha256,ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad,,${quoted}`,
    ]);
  });

  it('adds PDQ with its quality where the file is an image', async () => {
    const image = join(import.meta.dirname, '../fixtures/images/marble-3.jpg');
    const { stdout } = await expectExit(0, 'hoster-a', 'hash', image);
    expect(stdout).toMatch(/^pdq,[0-9a-f]{64},(100|\d\d),.*marble-3\.jpg$/m);
  });
});
