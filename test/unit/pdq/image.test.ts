import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import {
  DIHEDRALS,
  type Dihedral,
  formatPdq,
  hashImage,
  type PdqImage,
} from '../../../sdk/hash/pdq/index.js';
import { draw } from './patterns.js';
import { distance } from './sets.js';

const folder = fileURLToPath(new URL('../../fixtures/images/', import.meta.url));
const file = (name: string) => join(folder, name);
const pictures = readdirSync(folder).filter((name) => /\.(jpg|png|webp|gif|tif|avif)$/.test(name));
const scratch = mkdtempSync(join(tmpdir(), 'pdq-image-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function hashed(image: PdqImage) {
  if (!image.ok) throw new Error(image.reason);
  return image;
}

async function first(...args: Parameters<typeof hashImage>) {
  return hashed(await hashImage(...args)).frames[0]!;
}

const source = (width: number, height: number) => {
  const { rgb } = draw('blobs', 5, width, height);
  return sharp(rgb, { raw: { width, height, channels: 3 } });
};

describe('hashing of images', () => {
  it.each(pictures)('%s alike from path, buffer and stream', async (name) => {
    const bytes = readFileSync(file(name));
    const results = [
      await first(file(name)),
      await first(bytes),
      await first(new Uint8Array(bytes)),
      await first(createReadStream(file(name), { highWaterMark: 1000 })),
    ];
    expect(new Set(results.map(({ hash, quality }) => `${formatPdq(hash)} ${quality}`)).size).toBe(1);
  });

  it('agrees across formats and sizes within 10 bits at quality 80 and above', async () => {
    const image = source(900, 700);
    const plain = await first(await image.clone().png().toBuffer());
    expect(plain.quality).toBeGreaterThanOrEqual(80);
    const variants = [
      image.clone().jpeg({ quality: 70 }),
      image.clone().webp({ quality: 70 }),
      image.clone().avif({ quality: 60, effort: 1 }),
      image.clone().tiff({ compression: 'lzw' }),
      image.clone().gif(),
      image.clone().resize(1400, 1089).jpeg(),
      image.clone().resize(600, 467).png(),
    ];
    for (const variant of variants) {
      const { hash } = await first(await variant.toBuffer());
      expect(distance(plain.hash, 0, hash, 0)).toBeLessThanOrEqual(10);
    }
  });

  it('respects EXIF orientation only when asked', async () => {
    const turned = hashed(await hashImage(file('turned.jpg'), { dihedral: true })).frames[0]!;
    const upright = await first(file('turned.jpg'), { orient: true });
    expect(distance(turned.hash, 0, upright.hash, 0)).toBeGreaterThan(60);
    const nearest = Math.min(...turned.hashes!.map((hash) => distance(hash, 0, upright.hash, 0)));
    expect(nearest).toBeLessThanOrEqual(10);
    expect(turned.hashes!.length).toBe(8);
  });

  /** The turns and mirrorings that a camera or a person makes, on the pixels themselves. */
  const turns: Record<Dihedral, (image: Sharp) => Sharp> = {
    original: (image) => image,
    rotate90: (image) => image.rotate(270),
    rotate180: (image) => image.rotate(180),
    rotate270: (image) => image.rotate(90),
    flipX: (image) => image.flip(),
    flipY: (image) => image.flop(),
    flipPlus: (image) => image.flip().rotate(90),
    flipMinus: (image) => image.flop().rotate(90),
  };

  it.each(DIHEDRALS)('knows a picture that was really turned: %s', async (which) => {
    const image = source(900, 700);
    const { hashes = [] } = await first(await image.clone().png().toBuffer(), { dihedral: true });
    const { hash } = await first(await turns[which](image.clone()).png().toBuffer());
    const distances = hashes.map((one) => distance(one, 0, hash, 0));
    expect(distances.indexOf(Math.min(...distances))).toBe(DIHEDRALS.indexOf(which));
    expect(Math.min(...distances)).toBeLessThanOrEqual(16);
    expect(distances.filter((bits) => bits <= 31)).toHaveLength(1);
  });

  it.each(['animation.gif', 'animation.webp'])('takes frames of %s on request', async (name) => {
    expect(hashed(await hashImage(file(name))).frames.map(({ frame }) => frame)).toEqual([0]);
    expect(hashed(await hashImage(file(name), { frames: 2 })).frames.map(({ frame }) => frame)).toEqual([
      0, 2,
    ]);
    const all = hashed(await hashImage(file(name), { frames: 64 }));
    expect(all.frameCount).toBe(4);
    expect(new Set(all.frames.map(({ hash }) => formatPdq(hash))).size).toBe(4);
  });

  it('hashes what is above 4096 pixels a side', async () => {
    const wide = source(500, 400);
    const plain = await first(await wide.clone().png().toBuffer());
    const large = await wide.clone().resize(6000, 4800, { kernel: 'cubic' }).jpeg().toBuffer();
    expect(distance(plain.hash, 0, (await first(large)).hash, 0)).toBeLessThanOrEqual(12);
  });

  it('hashes grey, deep and transparent pictures', async () => {
    for (const name of ['grey.png', 'deep.tif', 'transparent.png']) {
      expect((await first(file(name))).quality).toBeGreaterThan(0);
    }
    const rgb = await sharp(file('transparent.png')).removeAlpha().png().toBuffer();
    expect(formatPdq((await first(rgb)).hash)).toBe(formatPdq((await first(file('transparent.png'))).hash));
  });
});

describe('images that have no hash', () => {
  const jpeg = readFileSync(file('sunset-1.jpg'));
  const png = readFileSync(file('hills-1.png'));
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>';
  const damaged = Uint8Array.from(png, (byte, i) => (i > 2000 && i < 9000 ? byte ^ 0x55 : byte));

  it.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), 'empty'],
    ['text', Buffer.from('hello, world'), 'unsupported'],
    ['svg', Buffer.from(svg), 'unsupported'],
    ['zeros', new Uint8Array(10_000), 'unsupported'],
    ['a truncated jpeg', jpeg.subarray(0, jpeg.length >> 1), 'corrupt'],
    ['a truncated png', png.subarray(0, png.length >> 1), 'corrupt'],
    ['a damaged png', damaged, 'corrupt'],
    ['a signature alone', png.subarray(0, 8), 'corrupt'],
  ])('%s', async (_, bytes, reason) => {
    expect(await hashImage(bytes)).toEqual({ ok: false, reason });
  });

  it.each(pictures)('any prefix of %s ends in a result', async (name) => {
    const bytes = readFileSync(file(name));
    for (const share of [0.001, 0.01, 0.1, 0.5]) {
      const result = await hashImage(bytes.subarray(0, Math.ceil(bytes.length * share)));
      expect(result.ok || result.reason).not.toBe('timeout');
    }
  });

  it('a decompression bomb', async () => {
    const bomb = await sharp({ create: { width: 16_000, height: 16_000, channels: 3, background: 'white' } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    expect(bomb.length).toBeLessThan(16_000_000);
    expect(await hashImage(bomb)).toEqual({ ok: false, reason: 'too-many-pixels' });
    expect(await hashImage(jpeg, { maxPixels: 1000 })).toEqual({ ok: false, reason: 'too-many-pixels' });
  });

  it('a small one', async () => {
    expect(await hashImage(await source(4, 60).png().toBuffer())).toEqual({ ok: false, reason: 'too-small' });
    expect((await hashImage(await source(5, 5).png().toBuffer())).ok).toBe(true);
  });

  it('a pipe that nobody writes to, without waiting for anybody', async () => {
    const pipe = join(scratch, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await hashImage(pipe, { timeoutMs: 5_000 })).toEqual({ ok: false, reason: 'unreadable' });
  });

  it('an endless stream, read no further than the limit', async () => {
    let given = 0;
    const endless = Readable.from(
      (async function* () {
        for (;;) {
          given += 65_536;
          yield new Uint8Array(65_536);
        }
      })(),
    );
    expect(await hashImage(endless, { maxBytes: 1_000_000 })).toEqual({
      ok: false,
      reason: 'too-many-bytes',
    });
    expect(given).toBeLessThan(4_000_000);
  });

  it('a stream that fails, a path that is absent, a folder', async () => {
    const failing = Readable.from(
      (async function* () {
        yield jpeg.subarray(0, 100);
        throw new Error('gone');
      })(),
    );
    expect(await hashImage(failing)).toEqual({ ok: false, reason: 'unreadable' });
    expect(await hashImage(join(scratch, 'absent.jpg'))).toEqual({ ok: false, reason: 'unreadable' });
    expect(await hashImage(scratch)).toEqual({ ok: false, reason: 'unreadable' });
  });

  it('one whose time is up', async () => {
    const stalled = new Readable({ read: () => undefined });
    expect(await hashImage(stalled, { timeoutMs: 20 })).toEqual({ ok: false, reason: 'timeout' });
  });

  it('one that is cancelled, or asked for wrongly', async () => {
    const signal = AbortSignal.abort();
    await expect(hashImage(jpeg, { signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(hashImage(jpeg, { frames: 0 })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(hashImage(jpeg, { maxBytes: -1 })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
