import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ballSizes,
  boundOf,
  bucketMasks,
  expectedWork,
  linesPerBucket,
  planBands,
  reaches,
} from '../../../sdk/match/pdq/plan.js';

describe('plans of the PDQ index', () => {
  it('give every pair within the distance a band that the index probes, with a tag within its bound', () => {
    const bands = fc.integer({ min: 8, max: 16 });
    fc.assert(
      fc.property(
        bands,
        fc.nat(63),
        fc.array(fc.nat(6), { minLength: 16, maxLength: 16 }),
        (count, d, raw) => {
          const per = raw.slice(0, count);
          while (per.reduce((sum, one) => sum + one, 0) > d) {
            const at = per.findIndex((one) => one > 0);
            per[at]!--;
          }
          const reach = reaches(count, d);
          const plan = { count, bits: Math.floor(256 / count) };
          const found = per.some(
            (own, band) => own < reach[band]! && own + per[(band + 1) % count]! <= boundOf(plan, reach, band),
          );
          expect(found).toBe(true);
        },
      ),
    );
  });

  it('keep to 130 bytes a hash', () => {
    for (let count = 5_000; count < 16_000_000; count *= 1.3) {
      const plan = planBands(count, 31);
      const mean = count / 2 ** plan.bits;
      expect(32.3 + (plan.count * 64 * linesPerBucket(mean)) / mean).toBeLessThanOrEqual(130);
    }
  });

  it('scan small lists', () => {
    expect(planBands(1_000, 31).count).toBe(0);
  });

  it.each([5, 10, 17, 20])('enumerate masks of %d bits by weight, each once', (bits) => {
    const masks = bucketMasks(bits);
    const balls = ballSizes(bits);
    expect(new Set(masks).size).toBe(balls.at(-1));
    const weight = (mask: number) => (mask & 0xffffff).toString(2).replaceAll('0', '').length;
    expect(masks.every((mask, i) => weight(mask) === mask >>> 24 && i < balls[mask >>> 24]!)).toBe(true);
    expect(masks.every((mask) => (mask & 0xffffff) < 2 ** bits)).toBe(true);
  });

  it('expect no work where the radius is negative and too much beyond the masks', () => {
    const plan = { count: 16, bits: 12 };
    expect(expectedWork(plan, 1e5, reaches(16, 3)).filter((work) => work > 0).length).toBe(4);
    expect(expectedWork({ count: 8, bits: 20 }, 1e6, reaches(8, 63))).toContain(Number.POSITIVE_INFINITY);
  });

  it.each(['match', 'hash'])('have WebAssembly in sdk/%s that is what its source compiles to', (part) => {
    const script = fileURLToPath(new URL(`../../../sdk/${part}/pdq/wasm/build.mjs`, import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
