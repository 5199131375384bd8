import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLoopback, loadServerConfig, splitAddress } from '../../../server/config/index.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashfed-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

const GOOD = {
  format: 1,
  federation: 'test.example',
  listen: '127.0.0.1:0',
  tls: { certificate: 'tls/server.pem', key: 'tls/server-key.pem', client_ca: '/abs/ca.pem' },
  directory: { file: 'directory.dsse', first_sha256: 'ab'.repeat(32) },
  storage: 'level:data',
};
const { tls: _tls, ...WITHOUT_TLS } = GOOD;

async function load(content: unknown, env: Record<string, string> = {}, overrides = {}) {
  const file = join(folder, 'server.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return loadServerConfig(file, env, overrides);
}

describe('loadServerConfig', () => {
  it('fills in defaults and resolves paths from the file', async () => {
    const config = await load(GOOD);
    expect(config.log.level).toBe('info');
    expect(config.limits.calls).toBeGreaterThan(0);
    expect(config.path(config.tls?.key ?? '')).toBe(join(folder, 'tls/server-key.pem'));
    expect(config.path(config.tls?.client_ca ?? '')).toBe('/abs/ca.pem');
  });

  it('lets the environment win over the file and the command line over both', async () => {
    const env = { HASHFED_STORAGE: 'level:env', HASHFED_LOG_LEVEL: 'debug', HASHFED_TLS_KEY: 'other.pem' };
    const config = await load(GOOD, env);
    expect([config.storage, config.log.level, config.tls?.key]).toEqual(['level:env', 'debug', 'other.pem']);
    expect(config.tls?.certificate).toBe(GOOD.tls.certificate);
    expect((await load(GOOD, env, { storage: 'level:line' })).storage).toBe('level:line');
  });

  it.each([
    ['listen', { ...GOOD, listen: 'nowhere' }],
    ['listen', { ...GOOD, listen: '127.0.0.1:99999' }],
    ['federation', { ...GOOD, federation: 'Test' }],
    ['storage', { ...GOOD, storage: 'mysql:x' }],
    ['tls', WITHOUT_TLS],
    ['tls', { ...GOOD, plaintext_loopback: true }],
    ['plaintext_loopback', { ...WITHOUT_TLS, plaintext_loopback: true, listen: '0.0.0.0:1' }],
    ['plaintext_loopback', { ...WITHOUT_TLS, plaintext_loopback: true, listen: 'localhost:1' }],
    ['plaintext_loopback', { ...GOOD, plaintext_loopback: false }],
    ['directory.first_sha256', { ...GOOD, directory: { file: 'x', first_sha256: 'AB' } }],
    ['limits.calls', { ...GOOD, limits: { calls: 0 } }],
    ['format', { ...GOOD, format: 2 }],
    ['(top level)', { ...GOOD, tsl: {} }],
    ['config', 'not json'],
    ['config', '[]'],
  ])('names %s where it is wrong', async (field, content) => {
    const error = await load(content).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'USAGE', detail: { field } });
    expect(error.message).toContain('server.json');
  });

  it('needs a file', async () => {
    await expect(loadServerConfig(undefined, {})).rejects.toMatchObject({ code: 'USAGE' });
    await expect(loadServerConfig(join(folder, 'absent.json'), {})).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('addresses', () => {
  it('split, and only literal loopback addresses are loopback', () => {
    expect(splitAddress('[::1]:7443')).toEqual({ host: '::1', port: 7443 });
    expect(splitAddress('a.example:1')).toEqual({ host: 'a.example', port: 1 });
    for (const host of ['127.0.0.1', '127.9.9.9', '::1']) expect(isLoopback(host)).toBe(true);
    for (const host of ['localhost', '0.0.0.0', '::', '128.0.0.1', '127.0.0.1.evil', '::ffff:127.0.0.1'])
      expect(isLoopback(host)).toBe(false);
  });
});
