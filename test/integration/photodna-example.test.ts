import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

const EXAMPLE = join(import.meta.dirname, '../../dist/sdk/examples/photodna.js');
const MAP = {
  format: 1,
  columns: { photodna: 'Value', sha256: 'SHA256', classification: 'Category' },
  classifications: { 1: { scheme: 1, code: 1 } },
};

/** Stands in for the licensed program: 144 bytes of the file's first letter; none of an empty file, and fails at "x". */
const PROGRAM = `#!/usr/bin/env node
const name = process.argv.at(-1);
const [first] = require('node:fs').readFileSync(name === '-' ? 0 : name);
if (first === 0x78) process.exit(3);
if (first !== undefined) console.log(Buffer.alloc(144, first).toString('hex'));
`;

let federation: ProcessFederation;
let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  federation = await startFederation('--all-lists');
  folder = await mkdtemp(join(tmpdir(), 'hashfed-photodna-'));
  await writeFile(at('program.cjs'), PROGRAM, { mode: 0o700 });
  for (const text of ['near', 'Zero', 'xray', '']) await writeFile(at(`${text}.bin`), text);
  const exact = createHash('sha256').update('xray').digest('hex');
  const value = Buffer.alloc(144, 'o').toString('hex');
  await writeFile(at('list.csv'), `Value,SHA256,Category\n${value},,1\n,${exact},1\n`);
  await writeFile(at('map.json'), JSON.stringify(MAP));
  const args = ['publish', at('list.csv'), '--map', at('map.json'), '--collection', 'known'];
  expect(await federation.run('police', ...args)).toMatchObject({ code: 0 });
  expect(await federation.run('hoster-a', 'sync')).toMatchObject({ code: 0 });
}, 120_000);

afterAll(async () => {
  await federation?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function example(...args: readonly string[]): Promise<string[]> {
  const cwd = federation.member('hoster-a');
  const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE, ...args], { cwd });
  return stdout.split('\n').map((line) => line.trim());
}

it('matches what the program makes of files, and keeps the exact verdict where it fails', async () => {
  const files = ['near', 'Zero', 'xray', ''].map((name) => at(`${name}.bin`));
  expect(await example(at('program.cjs'), ...files)).toEqual([
    `hold ${files[0]}  distance 144`,
    `none ${files[1]}`,
    `hold ${files[2]} undecodable`,
    `none ${files[3]} undecodable`,
    '',
  ]);
});

it('says what it needs', async () => {
  await expect(example(at('program.cjs'))).rejects.toThrow(/usage: photodna\.js PROGRAM FILE/);
});
