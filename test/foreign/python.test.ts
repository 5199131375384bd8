import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProcessFederation, runCommand, startFederation } from '../support/federation-process.js';

const ROOT = join(import.meta.dirname, '../..');
const ORIGIN = 'dev.hashfed.example/selftest/sha256/g1';
const PROTOS = ['list', 'list_service', 'common', 'enums'].map((name) => `hashfed/v1/${name}.proto`);

let federation: ProcessFederation;
let stubs: string;

beforeAll(async () => {
  stubs = await mkdtemp(join(tmpdir(), 'hashfed-stubs-'));
  const proto = join(ROOT, 'proto');
  const plugin = '--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin';
  const made = await runCommand('protoc', [
    `-I${proto}`,
    `--python_out=${stubs}`,
    `--grpc_out=${stubs}`,
    plugin,
    ...PROTOS,
  ]);
  expect(made.stderr).toBe('');
  federation = await startFederation();
});

afterAll(async () => {
  await federation?.stop();
  await rm(stubs, { recursive: true, force: true });
});

const pull = (member: string, origin = ORIGIN) => {
  const folder = federation.member(member);
  const files = ['ca.pem', 'member.pem', 'member.key'].map((name) => join(folder, name));
  return runCommand('/usr/bin/python3', [
    join(ROOT, 'test/foreign/python/pull.py'),
    stubs,
    federation.address,
    origin,
    ...files,
  ]);
};

describe("a Python client on Debian's grpcio", () => {
  it('pulls a list over mutual TLS and computes its signed root', async () => {
    const { code, stdout, stderr } = await pull('hoster-a');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^4 [0-9a-f]{64}\n$/);
  });

  it('is refused a list that its member may not read', async () => {
    const { code, stderr } = await pull('police');
    expect(code).not.toBe(0);
    expect(stderr).toContain('PERMISSION_DENIED');
  });
});
