/** Images a second at four sizes: decoding and hashing together and apart, against decoding alone. */

import sharp from 'sharp';
import { formatPdq, hashImage, PdqHasher } from '../../sdk/hash/pdq/index.js';
import { type BenchLine, median } from './pdq.js';
import { random32 } from './pdq-data.js';

const ROUNDS = 5;
const SIDES: readonly [number, number, number][] = [
  [0.3, 640, 480],
  [1, 1155, 866],
  [3, 2000, 1500],
  [12, 4000, 3000],
];

/** A smooth coloured scene with grain, as a photograph compresses. */
async function photograph(width: number, height: number): Promise<Buffer> {
  const next = random32(width);
  const small = Buffer.from(Uint8Array.from({ length: 48 * 36 * 3 }, () => next() >>> 24));
  return sharp(small, { raw: { width: 48, height: 36, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .jpeg({ quality: 88 })
    .toBuffer();
}

const decode = (bytes: Buffer) => sharp(bytes, { sequentialRead: true }).removeAlpha().raw().toBuffer();

async function perSecond(count: number, run: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i++) await run();
  return (1000 * count) / (performance.now() - start);
}

/** Hashing a file must give what decoding it, thinning it to 512×512 and hashing the pixels gives. */
async function check(bytes: Buffer, width: number, height: number): Promise<void> {
  const pixels = await decode(bytes);
  const thin = new Uint8Array(512 * 512 * 3);
  for (let at = 0; at < 512 * 512; at++) {
    const [x, y] = [
      Math.floor(((at % 512) * width) / 512),
      Math.floor((Math.floor(at / 512) * height) / 512),
    ];
    thin.set(pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3), at * 3);
  }
  const [whole, apart] = [await hashImage(bytes), new PdqHasher().hashRgb(thin, 512, 512)];
  if (!whole.ok) throw new Error(`not hashed: ${whole.reason}`);
  if (formatPdq(whole.frames[0]!.hash) !== formatPdq(apart.hash)) throw new Error('hashes differ');
}

export async function* pdqHash(): AsyncGenerator<BenchLine> {
  sharp.cache(false);
  const hasher = new PdqHasher();
  const pixels = new Uint8Array(512 * 512 * 3).map((_, i) => (i * 7919) >> 7);
  for (const [megapixels, width, height] of SIDES) {
    const bytes = await photograph(width, height);
    await check(bytes, width, height);
    const count = Math.ceil(24 / (megapixels + 1));
    const [both, alone, hash]: number[][] = [[], [], []];
    for (let turn = 0; turn < ROUNDS; turn++) {
      both!.push(await perSecond(count, () => hashImage(bytes)));
      alone!.push(await perSecond(count, () => decode(bytes)));
      hash!.push(await perSecond(40, () => hasher.hashRgb(pixels, 512, 512)));
    }
    yield {
      bench: 'pdq-hash',
      n: width * height,
      unit: 'ops/s',
      ours: Number(median(both!).toPrecision(4)),
      baseline: 'decode-only',
      theirs: Number(median(alone!).toPrecision(4)),
      ratio: Number((median(both!) / median(alone!)).toPrecision(3)),
      rounds: ROUNDS,
      checked: true,
      megapixels,
      hash_only: Number(median(hash!).toPrecision(4)),
    };
  }
}
