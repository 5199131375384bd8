import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Output } from '../../client/cli/index.js';
import { packEvidenceFile } from '../../client/commands/evidence-file.js';
import { tilePath } from '../../client/commands/log-static.js';
import { auditServer } from '../../client/commands/verify-server.js';
import type { LoadedConfig } from '../../sdk/config/index.js';
import {
  CompactRange,
  checkBundle,
  parseCheckpoint,
  parseNote,
  portableSha256,
  toHex,
} from '../../sdk/core/index.js';
import { packEvidence } from '../../sdk/sync/index.js';
import { type ProcessFederation, runCommand, startFederation } from '../support/federation-process.js';
import { FIRST, ORIGIN, OTHER, type Servers, startServers, World } from '../support/liar/index.js';
import { random } from '../support/liar/victim.js';
import { publishSample } from '../support/publish-sample.js';

const CLI = join(process.cwd(), 'dist/client/main.js');
let servers: Servers;
let world: World;
let folder: string;
beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashfed-verify-test-'));
  world = await World.make(servers, {});
});
afterEach(async () => {
  await world.remove();
  await rm(folder, { recursive: true, force: true });
});

async function audit(...origins: string[]) {
  const { ca, certificate, key } = servers.tls;
  const files = { ca: join(folder, 'ca'), cert: join(folder, 'cert'), key: join(folder, 'key') };
  await writeFile(files.ca, ca);
  await writeFile(files.cert, certificate!);
  await writeFile(files.key, key!);
  const { police } = world;
  const config = {
    tls: files,
    sources: [],
    lists: [],
    trust: [{ publisher: police.name, root_sha256: toHex(police.fingerprint) }],
    file: 'hashfed.json',
    path: (written: string) => written,
  } as unknown as LoadedConfig;
  const context = {
    env: {},
    out: new Output(true),
    clock: world.clock,
    random,
    signal: new AbortController().signal,
    config: async () => config,
  };
  return await auditServer(context, world.liar.address, origins);
}

describe('an audit from the first entry', () => {
  test('states what it verified', async () => {
    world.more(5, 'one');
    world.police.publish(ORIGIN, [world.log.withdraw(3)], 'one');
    const [found, other] = await audit(ORIGIN, OTHER);
    expect(found).toMatchObject({
      origin: ORIGIN,
      size: FIRST + 9,
      anchor_size: FIRST + 1,
      seals: 3,
      records: FIRST + 4,
      anomalies: 0,
      digests: 'all',
    });
    expect(toHex(found!.checkpoint_root!)).toBe(toHex(world.log.at().root));
    expect(found!.liveness_ms).toBe(world.clock.nowMs());
    expect(other).toMatchObject({ origin: OTHER, seals: 1, records: 10 });
  });

  test.each([
    {
      name: 'one bit of one entry',
      code: 'ROOT_MISMATCH',
      lie: () => {
        world.liar.lies.pull = (honest) =>
          honest.map((one, i) => {
            const bundle = one.bundle.slice();
            if (i === 0) bundle[70]! ^= 1;
            return { ...one, bundle };
          });
      },
    },
    { name: 'more than one key may sign', code: 'THRESHOLD_NOT_MET', lie: () => world.more(40, 'one') },
    {
      name: 'a SEAL in the middle whose digest was wrong',
      code: 'PUBLISHER_INVALID',
      lie: () => {
        world.log.publish(world.adds(2), (seal) => ({ ...seal, setDigest: new Uint8Array(32) }));
        world.police.publish(ORIGIN, world.adds(2), 'two');
      },
    },
    {
      name: 'a root that nobody pinned',
      code: 'BAD_SIGNATURE',
      lie: () => {
        world.liar.lies.root = () => world.hotline.roots[0]!.envelope;
      },
    },
  ])('refuses $name: $code', async ({ code, lie }) => {
    lie();
    const [found] = await audit(ORIGIN);
    expect(found?.error).toMatchObject({ code });
  });
});

describe('evidence', () => {
  async function verifyFile(parts: readonly Uint8Array[], ...more: string[]) {
    const file = join(folder, 'fork.evidence');
    const root = join(folder, 'root-1.dsse');
    await writeFile(file, packEvidence(parts));
    await writeFile(root, world.police.roots[0]!.envelope);
    return await runCommand(process.execPath, [CLI, 'verify', file, '--root', root, '--json', ...more]);
  }

  test('of a fork verifies offline', async () => {
    const forked = world.log.fork(0);
    forked.publish(world.adds(FIRST));
    const other = world.police.note(ORIGIN, forked.at(), world.police.signers(ORIGIN, 'two'));
    const parts = [world.police.head(ORIGIN)!.note, other];
    const { code, stdout } = await verifyFile(parts, '--fingerprint', toHex(world.police.fingerprint));
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      fork: true,
      origin: ORIGIN,
      kind: 'notes',
      root_from: 'pinned',
    });
    expect(code).toBe(0);
  });

  test('with its roots in the file needs a fingerprint and nothing else', async () => {
    const forked = world.log.fork(0);
    forked.publish(world.adds(FIRST));
    const other = world.police.note(ORIGIN, forked.at(), world.police.signers(ORIGIN, 'two'));
    const kept = packEvidence([world.police.head(ORIGIN)!.note, other]);
    const bytes = packEvidenceFile(
      kept,
      world.police.roots.map(({ envelope }) => envelope),
    );
    const file = join(folder, 'fork.evidence');
    const verify = async (content: Uint8Array, fingerprint: Uint8Array) => {
      await writeFile(file, content);
      const args = ['verify', file, '--fingerprint', toHex(fingerprint), '--json'];
      return await runCommand(process.execPath, [CLI, ...args]);
    };
    const { police, hotline } = world;
    const found = await verify(bytes!, police.fingerprint);
    expect(JSON.parse(found.stdout)).toMatchObject({ ok: true, fork: true, root_from: 'pinned' });
    expect((await verify(bytes!, hotline.fingerprint)).code).toBe(4);
    expect((await verify(bytes!.subarray(0, -1), police.fingerprint)).stderr).toContain('MALFORMED');
    const later = bytes!.slice();
    later[13] = 2;
    expect((await verify(later, police.fingerprint)).stderr).toContain('UPGRADE_REQUIRED');
  });

  test('of a rollback is told apart from a fork', async () => {
    const before = world.police.head(ORIGIN)!.note;
    world.more(3);
    const { code, stdout } = await verifyFile([world.police.head(ORIGIN)!.note, before]);
    expect(JSON.parse(stdout)).toMatchObject({ fork: false, kind: 'rollback', root_from: 'file' });
    expect(code).toBe(0);
  });

  test('that somebody else signed, or under another root, is refused with 4', async () => {
    const mine = world.police.head(ORIGIN)!.note;
    const other = { size: world.log.size, root: new Uint8Array(32) };
    const forged = world.police.note(ORIGIN, other, world.hotline.signers(ORIGIN, 'two'));
    expect((await verifyFile([mine, forged])).code).toBe(4);
    const real = world.police.note(ORIGIN, other, world.police.signers(ORIGIN, 'two'));
    const wrong = await verifyFile([mine, real], '--fingerprint', toHex(world.hotline.fingerprint));
    expect(wrong.code).toBe(4);
  });
});

describe('the command', () => {
  let federation: ProcessFederation;
  beforeAll(async () => {
    federation = await startFederation();
  });
  afterAll(() => federation.stop());

  test('audits what a server shows', async () => {
    await publishSample(federation, 'police', 5);
    const origin = 'police.example/known/sha256/g1';
    const args = ['verify', '--server', federation.address, '--origin', origin, '--json'];
    const { code, stdout } = await federation.run('hoster-a', ...args);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      lists: [{ origin, size: 6, seals: 1, digests: 'all' }],
    });
    expect(code).toBe(0);
  });

  test('exports the layout of tlog-tiles: tiles and entry bundles make the signed root', async () => {
    await publishSample(federation, 'hotline', 600);
    const origin = 'hotline.example/known/sha256/g1';
    const out = join(folder, 'static');
    const { code } = await federation.run(
      'hoster-a',
      'log',
      'export',
      '--static',
      '--origin',
      origin,
      '--out',
      out,
    );
    expect(code).toBe(0);
    const { size, root } = parseCheckpoint(parseNote(await readFile(join(out, 'checkpoint'))).body);
    expect(size).toBe(601);
    const read = async (kind: string) =>
      Promise.all(['000', '001', '002.p/89'].map((name) => readFile(join(out, 'tile', kind, name))));
    const leaves = await read('0');
    const tree = CompactRange.empty(portableSha256);
    tree.append(new Uint8Array(Buffer.concat(leaves)));
    expect(toHex(tree.root())).toBe(toHex(root));
    const above = leaves.slice(0, 2).map((tile) => {
      const part = CompactRange.empty(portableSha256);
      part.append(new Uint8Array(tile));
      return toHex(part.root());
    });
    expect((await readFile(join(out, 'tile/1/000.p/2'))).toString('hex')).toBe(above.join(''));
    for (const [i, bundle] of (await read('entries')).entries()) {
      const count = leaves[i]!.length / 32;
      expect(checkBundle(bundle, count)).toBe(count);
      expect(toHex(portableSha256.hashLeaves(bundle, count))).toBe(leaves[i]!.toString('hex'));
    }
  });

  test.each([
    { index: 0, width: 256, path: '000' },
    { index: 999, width: 3, path: '999.p/3' },
    { index: 1000, width: 256, path: 'x001/000' },
    { index: 1_234_067, width: 256, path: 'x001/x234/067' },
  ])('names tile $index $path', ({ index, width, path }) => {
    expect(tilePath(index, width)).toBe(path);
  });
});
