import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verdict } from '../../sdk/index.js';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

const HOSTER = 'hoster-a';
const PICTURE = join(import.meta.dirname, '../fixtures/images/room-2.jpg');
const MAP = {
  format: 1,
  columns: { pdq: 'PDQ', sha256: 'SHA256', classification: 'Category' },
  classifications: { 1: { scheme: 1, code: 1 } },
};

let federation: ProcessFederation;
let folder: string;

async function setPolicy(perceptual: object): Promise<void> {
  const file = join(federation.member(HOSTER), 'hashfed.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  const policy = { probation_hours: 0, observe_hours: 0, perceptual };
  await writeFile(file, JSON.stringify({ ...config, policy }));
}

/** Publishes the PDQ hash of the picture, as `hashfed hash` prints it, beside the exact hash of another copy. */
async function publish(): Promise<void> {
  const { stdout } = await federation.run(HOSTER, 'hash', PICTURE);
  const hash = /^pdq,([0-9a-f]{64})/m.exec(stdout)?.[1];
  const [csv, map] = [join(folder, 'list.csv'), join(folder, 'map.json')];
  await writeFile(csv, `PDQ,SHA256,Category\n${hash},${randomBytes(32).toString('hex')},1\n`);
  await writeFile(map, JSON.stringify(MAP));
  const args = ['publish', csv, '--map', map, '--collection', 'known'];
  expect(await federation.run('police', ...args)).toMatchObject({ code: 0 });
}

async function check(...names: readonly string[]): Promise<Verdict[]> {
  const paths = names.map((name) => join(folder, name));
  const { stdout } = await federation.run(HOSTER, 'check', '--json', ...paths);
  return (JSON.parse(stdout) as { files: { verdict: Verdict }[] }).files.map(({ verdict }) => verdict);
}

const actionsOf = async (...names: readonly string[]) => (await check(...names)).map(({ action }) => action);

async function held(): Promise<string[]> {
  const { stdout } = await federation.run(HOSTER, 'quarantine', 'list', '--json');
  return stdout.match(/"ref":"[^"]*"/g) ?? [];
}

beforeAll(async () => {
  federation = await startFederation('--all-lists');
  folder = await mkdtemp(join(tmpdir(), 'hashfed-pictures-'));
  const picture = () => sharp(PICTURE);
  await picture().resize({ width: 500 }).jpeg({ quality: 60 }).toFile(join(folder, 'smaller.jpg'));
  await picture().rotate(90).png().toFile(join(folder, 'turned.png'));
  await writeFile(join(folder, 'cut.jpg'), (await readFile(PICTURE)).subarray(0, 20_000));
  await symlink(join(folder, 'smaller.jpg'), join(folder, 'link.jpg'));
  await publish();
  await setPolicy({});
  expect(await federation.run(HOSTER, 'sync')).toMatchObject({ code: 0 });
}, 120_000);

afterAll(async () => {
  await federation?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

describe('hashfed check with a PDQ list', () => {
  it('tries without a trace', async () => {
    const tried = await federation.run(HOSTER, 'check', '--dry-run', join(folder, 'smaller.jpg'));
    expect(tried).toMatchObject({ code: 10, stdout: expect.stringMatching(/^hold /) });
    expect(await held()).toEqual([]);
  });

  it('holds what resembles, also behind a link, and keeps the verdict on what cannot be decoded', async () => {
    const verdicts = await check('smaller.jpg', 'link.jpg', 'cut.jpg');
    expect(verdicts.map(({ action }) => action)).toEqual(['hold', 'hold', 'none']);
    expect(verdicts[0]?.matches[0]).toMatchObject({ hash_type: 'pdq', quality: expect.any(Number) });
    expect(verdicts.map(({ perceptual }) => perceptual)).toEqual([undefined, undefined, 'undecodable']);
    expect(await held()).toHaveLength(2);
  });

  it('finds a turned copy where the policy asks for it, in a scan of unchanged files, too', async () => {
    const scan = async () => {
      const { stdout } = await federation.run(HOSTER, 'scan', folder, '--json');
      return JSON.parse(stdout.trim().split('\n').at(-1)!) as { held: number; unchanged: number };
    };
    expect(await actionsOf('turned.png')).toEqual(['none']);
    expect(await scan()).toMatchObject({ held: 1 });
    await setPolicy({ pdq_dihedral: true });
    expect(await actionsOf('turned.png')).toEqual(['hold']);
    expect(await scan()).toMatchObject({ held: 2 });
  });

  it('names the file and the field of a policy that asks for too much', async () => {
    await setPolicy({ pdq_dihedral: true, pdq_frames: 9 });
    const { code, stderr } = await federation.run(HOSTER, 'check', PICTURE);
    expect(code).toBe(2);
    expect(stderr).toMatch(/hashfed\.json: policy\.perceptual\.pdq_frames: must be at most 8/);
  });
});
