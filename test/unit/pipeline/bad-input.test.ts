import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { IMAGES, makePipeline, temporaryFolder } from './parts.js';

const folder = temporaryFolder();
const jpeg = readFileSync(join(IMAGES, 'room-2.jpg'));

/** A small file that decodes to far more pixels than are allowed. */
async function bomb(): Promise<Buffer> {
  const image = sharp({ create: { width: 11_000, height: 11_000, channels: 3, background: '#808080' } });
  return image.png({ compressionLevel: 9 }).toBuffer();
}

const broken = (): Buffer => {
  const bytes = Buffer.from(jpeg);
  bytes.fill(0x5a, 200, 600);
  return bytes;
};

const table: [string, () => Buffer | Promise<Buffer>, string][] = [
  ['no bytes', () => Buffer.alloc(0), 'unsupported'],
  ['a truncated image', () => jpeg.subarray(0, jpeg.length / 2), 'corrupt'],
  ['a head alone', () => jpeg.subarray(0, 20), 'corrupt'],
  ['a damaged image', broken, 'corrupt'],
  ['a decompression bomb', bomb, 'too-many-pixels'],
  ['text', () => Buffer.from('no image at all'), 'unsupported'],
];

describe('undecodable objects keep their exact verdict', () => {
  const { pipeline, judged } = makePipeline();

  it.each(table)('%s', async (name, make, why) => {
    const bytes = await make();
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const file = await pipeline.checkFile(path, { ref: name });
    const buffer = await pipeline.checkBuffer(bytes, { ref: name });
    const stream = pipeline.checkStream({ ref: name });
    stream.resume().end(bytes);
    const verdicts = [
      file.status === 'checked' ? file.verdict : undefined,
      buffer.verdict,
      await stream.verdict,
    ];
    expect(verdicts.map((verdict) => verdict?.perceptual)).toEqual(Array(3).fill('undecodable'));
    expect(judged.splice(0).map(({ object }) => object.perceptual?.undecoded)).toEqual(Array(3).fill(why));
  });

  it('says so where the bytes of a stream found no room', async () => {
    const small = makePipeline({ streamBufferBytes: 1_000 });
    const stream = small.pipeline.checkStream({ ref: 'x' });
    stream.resume().end(jpeg);
    expect((await stream.verdict).perceptual).toBe('undecodable');
    expect(small.judged[0]?.object.perceptual?.undecoded).toBe('overloaded');
  });
});

describe('files that have no verdict say why', () => {
  const { pipeline, judged } = makePipeline();

  it('absent, folder, link, loop of links', async () => {
    mkdirSync(join(folder, 'sub'));
    symlinkSync(join(folder, 'loop-b'), join(folder, 'loop-a'));
    symlinkSync(join(folder, 'loop-a'), join(folder, 'loop-b'));
    symlinkSync(join(IMAGES, 'room-2.jpg'), join(folder, 'link'));
    const statusOf = async (name: string) =>
      (await pipeline.checkFile(join(folder, name), { ref: name })).status;
    expect(await statusOf('nothing')).toBe('absent');
    expect(await statusOf('sub')).toBe('directory');
    expect(await statusOf('loop-a')).toBe('symlink');
    expect(await statusOf('link')).toBe('symlink');
    expect(judged).toEqual([]);
  });

  it('pipes and devices, without waiting for anybody', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero', '/dev/null'])
      expect(await pipeline.checkFile(path, { ref: path })).toEqual({ status: 'special' });
    expect(judged).toEqual([]);
  });

  it('a file that the system refuses to read', async () => {
    const outcome = await pipeline.checkFile('/proc/self/mem', { ref: 'x' });
    expect(outcome.status).not.toBe('checked');
    expect(judged).toEqual([]);
  });

  it('a file that changes while it is read', async () => {
    const path = join(folder, 'growing');
    writeFileSync(path, Buffer.alloc(3 * 1024 * 1024));
    const growing = makePipeline({ pace: () => appendFileSync(path, 'x') });
    const outcome = await growing.pipeline.checkFile(path, { ref: 'x' });
    expect(outcome).toEqual({ status: 'changed' });
    expect(growing.judged).toEqual([]);
  });

  it('a name that is no text is checked all the same', async () => {
    const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x2e, 0x6a])]);
    writeFileSync(path, jpeg);
    const outcome = await pipeline.checkFile(path, { ref: 'x' });
    expect(outcome.status).toBe('checked');
    expect(judged.splice(0)[0]?.object.perceptual?.pdq).toHaveLength(1);
  });
});

describe('streams that are longer than allowed', () => {
  it('nothing beyond the limit is passed on', async () => {
    const limited = makePipeline({ maxStreamBytes: 1_000 });
    const stream = limited.pipeline.checkStream({ ref: 'x' });
    stream.on('error', () => {});
    let passed = 0;
    stream.on('data', (bytes: Buffer) => {
      passed += bytes.length;
    });
    stream.write(Buffer.alloc(900));
    stream.end(Buffer.alloc(200));
    await expect(stream.verdict).rejects.toMatchObject({ code: 'MALFORMED' });
    expect(passed).toBeLessThanOrEqual(1_000);
    expect(limited.judged).toEqual([]);
  });
});
