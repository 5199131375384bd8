import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  EXACT_TYPES,
  type ExactHashes,
  type FileOptions,
  type FileOutcome,
  HashingStream,
  hashBuffer,
  hashFile,
  hashStream,
  SyncFileHasher,
} from '../../../sdk/hash/exact.js';

const hex = (hashes: ExactHashes) =>
  Object.fromEntries(Object.entries(hashes).map(([type, hash]) => [type, Buffer.from(hash).toString('hex')]));
const expected = (bytes: Uint8Array, types: readonly string[] = EXACT_TYPES) =>
  Object.fromEntries(types.map((type) => [type, createHash(type).update(bytes).digest('hex')]));
const sample = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7919 + (i >>> 8)) & 0xff);
const SIZES = [0, 1, 63, 64 * 1024, 64 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024 + 5];

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hashfed-hash-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('buffers', () => {
  it('hash to the published values', () => {
    expect(hex(hashBuffer(new Uint8Array(0)).hashes)).toEqual({
      md5: 'd41d8cd98f00b204e9800998ecf8427e',
      sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    });
    expect(hex(hashBuffer(Buffer.from('abc'), { types: ['sha256'] }).hashes)).toEqual({
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    });
  });

  it.each(SIZES)('of %i bytes, any types', (size) => {
    const bytes = sample(size);
    for (const types of [['md5'], ['sha1', 'sha256'], undefined] as const) {
      const hashed = hashBuffer(bytes, types === undefined ? {} : { types });
      expect(hex(hashed.hashes)).toEqual(expected(bytes, types));
      expect(hashed.bytes).toBe(size);
    }
  });

  it('refuse no types, unknown types and too many bytes', () => {
    expect(() => hashBuffer(sample(1), { types: [] })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => hashBuffer(sample(1), { types: ['crc32' as 'md5'] })).toThrow(
      expect.objectContaining({ code: 'USAGE' }),
    );
    expect(() => hashBuffer(sample(9), { maxBytes: 8 })).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
    expect(hashBuffer(sample(8), { maxBytes: 8 }).bytes).toBe(8);
  });
});

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) all.push(bytes.subarray(at, at + size));
  return all;
}

describe('streams', () => {
  it('hash as they flow on unchanged', async () => {
    const bytes = sample(300_001);
    const through = new HashingStream();
    const passed: Uint8Array[] = [];
    const sink = new Writable({
      write(chunk, _, done) {
        passed.push(chunk);
        setImmediate(done);
      },
    });
    await pipeline(Readable.from(pieces(bytes, 1000)), through, sink);
    const { hashes, bytes: count } = await through.result;
    expect([hex(hashes), count, through.bytes]).toEqual([expected(bytes), bytes.length, bytes.length]);
    expect(Buffer.concat(passed).equals(bytes)).toBe(true);
  });

  it('stop at the limit before the byte too many is passed on', async () => {
    const through = new HashingStream({ maxBytes: 2500 });
    let passed = 0;
    through.on('data', (chunk) => (passed += chunk.length));
    await expect(pipeline(Readable.from(pieces(sample(9000), 1000)), through)).rejects.toMatchObject({
      code: 'MALFORMED',
    });
    await expect(through.result).rejects.toMatchObject({ code: 'MALFORMED' });
    expect(passed).toBe(2000);
    const source = Readable.from(pieces(sample(9000), 1000));
    await expect(hashStream(source, { maxBytes: 2500 })).rejects.toMatchObject({ code: 'MALFORMED' });
    expect(source.destroyed).toBe(true);
  });

  it('are cancelled by a signal, also while the source is silent', async () => {
    const controller = new AbortController();
    const silent = new PassThrough();
    silent.write('x');
    const hashing = hashStream(silent, { signal: controller.signal });
    const through = new HashingStream({ signal: controller.signal });
    const flowing = pipeline(new PassThrough(), through);
    setImmediate(() => controller.abort());
    await expect(hashing).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(flowing).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(through.result).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(silent.destroyed).toBe(true);
    await expect(hashStream(new PassThrough(), { signal: controller.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });

  it('that end early have no result', async () => {
    const through = new HashingStream();
    through.write(sample(10));
    through.destroy();
    await expect(through.result).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('pass on what the source throws, and refuse text', async () => {
    const broken = (async function* () {
      yield sample(3);
      throw new Error('disk on fire');
    })();
    await expect(hashStream(broken)).rejects.toThrow('disk on fire');
    await expect(hashStream(['text'])).rejects.toMatchObject({ code: 'USAGE' });
  });
});

type Hasher = (path: string, options?: FileOptions) => Promise<FileOutcome>;
const sync = new SyncFileHasher();
const HASHERS: [string, Hasher][] = [
  ['hashFile', hashFile],
  ['SyncFileHasher', async (path, options) => sync.hash(path, options)],
];

describe.each(HASHERS)('files by %s', (name, hash) => {
  const at = (file: string) => join(dir, `${name}-${file}`);

  it.each(SIZES)('of %i bytes', async (size) => {
    writeFileSync(at('sized'), sample(size));
    const outcome = await hash(at('sized'));
    expect(outcome).toMatchObject({ status: 'hashed', bytes: size, state: { size } });
    if (outcome.status === 'hashed') expect(hex(outcome.hashes)).toEqual(expected(sample(size)));
  });

  it('that are no regular files are named for what they are', async () => {
    mkdirSync(at('dir'));
    symlinkSync(at('loop'), at('loop'));
    writeFileSync(at('plain'), 'x');
    symlinkSync(at('plain'), at('link'));
    execFileSync('mkfifo', [at('pipe')]);
    const server = createServer().listen(at('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    const statuses: [string, string][] = [];
    for (const file of ['dir', 'loop', 'link', 'pipe', 'socket', 'none', 'plain/below']) {
      statuses.push([file, (await hash(at(file))).status]);
    }
    await new Promise((resolve) => server.close(resolve));
    expect(Object.fromEntries(statuses)).toEqual({
      ...{ dir: 'directory', loop: 'symlink', link: 'symlink', pipe: 'special', socket: 'special' },
      ...{ none: 'absent', 'plain/below': 'absent' },
    });
    expect(await hash(at('link'), { followSymlinks: true })).toMatchObject({ status: 'hashed', bytes: 1 });
    expect(await hash(at('loop'), { followSymlinks: true })).toMatchObject({
      status: 'symlink',
      code: 'ELOOP',
    });
    expect(await hash('/dev/null')).toEqual({ status: 'special' });
    expect((await hash('/proc/self/mem')).status).toBe('unreadable');
  });

  it('that are too large are not read', async () => {
    writeFileSync(at('sparse'), '');
    truncateSync(at('sparse'), 2 ** 40);
    expect(await hash(at('sparse'), { maxBytes: 2 ** 20 })).toEqual({ status: 'too-large' });
  });

  it('that are longer or shorter than they say are changed', async () => {
    expect(await hash('/proc/self/status')).toEqual({ status: 'changed' });
  });

  it('are cancelled by a signal, and refuse unknown types', async () => {
    writeFileSync(at('any'), sample(100));
    const signal = AbortSignal.abort();
    await expect(hash(at('any'), { signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(hash(at('any'), { types: ['crc32' as 'md5'] })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('a file that changes while it is read', () => {
  const CHANGES: [string, (path: string) => void][] = [
    ['grows', (path) => appendFileSync(path, 'more')],
    ['shrinks', (path) => truncateSync(path, 100)],
    ['is touched', (path) => utimesSync(path, 1, 1)],
  ];
  it.each(CHANGES)('%s', async (_, change) => {
    const path = join(dir, 'moving');
    writeFileSync(path, sample(8 * 1024 * 1024));
    let looks = 0;
    // The signal is looked at between pieces: the only moment that a test can step into.
    const signal = {
      get aborted() {
        if (++looks === 3) change(path);
        return false;
      },
    } as AbortSignal;
    expect(await hashFile(path, { signal })).toEqual({ status: 'changed' });
    looks = 0;
    writeFileSync(path, sample(8 * 1024 * 1024));
    expect(sync.hash(path, { signal })).toEqual({ status: 'changed' });
  });
});
