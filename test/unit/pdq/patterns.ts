/** Synthetic pictures in integer arithmetic, so that other implementations can draw the same ones. */

export interface Picture {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

type Shade = (x: number, y: number) => number;

/** s ← (1664525 s + 1013904223) mod 2³². */
export function lcg(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state;
  };
}

function blobs(seed: number, w: number, h: number): Shade {
  const next = lcg(seed);
  const draw = () => next() >>> 8;
  const discs = Array.from({ length: 12 }, () => {
    const x = draw() % w;
    const y = draw() % h;
    const r = 2 + (draw() % (Math.floor(Math.min(w, h) / 3) + 1));
    return { x, y, r2: r * r, amplitude: 20 + (draw() % 100) };
  });
  return (x, y) => {
    let sum = 40;
    for (const disc of discs) {
      if ((x - disc.x) ** 2 + (y - disc.y) ** 2 <= disc.r2) sum += disc.amplitude;
    }
    return Math.min(255, sum);
  };
}

function shadeOf(pattern: string, seed: number, w: number, h: number): Shade {
  const next = lcg(seed);
  switch (pattern) {
    case 'gradient':
      return (x) => Math.floor((255 * x) / (w - 1));
    case 'rings':
      return (x, y) => (((x - (w >> 1)) ** 2 + (y - (h >> 1)) ** 2) >> 5) & 255;
    case 'xor':
      return (x, y) => (x ^ y) & 255;
    case 'noise':
      return () => next() >>> 24;
    case 'checker':
      return (x, y) => (((x >> 4) + (y >> 4)) & 1 ? 230 : 25);
    case 'flat':
      return () => 127;
    case 'blobs':
      return blobs(seed, w, h);
    default:
      throw new Error(`no pattern ${pattern}`);
  }
}

/** Draws one of the named patterns; all but `blobs` and `flat` are coloured. */
export function draw(pattern: string, seed: number, width: number, height: number): Picture {
  const shade = shadeOf(pattern, seed, width, height);
  const grey = pattern === 'blobs' || pattern === 'flat';
  const rgb = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const v = shade(x, y);
      rgb[at++] = v;
      rgb[at++] = grey ? v : (3 * v + x) & 255;
      rgb[at++] = grey ? v : (v + y) & 255;
    }
  }
  return { rgb, width, height };
}

/** c ← (31c + byte) mod 1000000007. */
export function checksum(rgb: Uint8Array): number {
  let sum = 0;
  for (const byte of rgb) sum = (31 * sum + byte) % 1000000007;
  return sum;
}
