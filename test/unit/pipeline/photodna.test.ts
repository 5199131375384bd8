import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PhotoDnaIndex, squaredEuclidean } from '../../../sdk/match/index.js';
import { hasherFromCommand } from '../../../sdk/pipeline/index.js';
import { makePipeline } from './parts.js';

const value = (fill: number) => new Uint8Array(144).fill(fill);

describe('comparing opaque values', () => {
  it.each([
    [0, 0, 0],
    [10, 11, 144],
    [0, 255, 144 * 255 * 255],
  ])('%d and %d lie %d apart', (a, b, expected) => {
    const { distance } = squaredEuclidean(9_363_600);
    expect(distance(value(a), value(b), 0, 9_363_600)).toBe(expected);
  });

  it.each([-1, 9_363_601, Number.NaN])('refuses %d as the largest distance', (most) => {
    expect(() => squaredEuclidean(most)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('finds exactly what a plain comparison of all values finds, after any adding and removing', () => {
    const byte = fc.integer({ min: 0, max: 12 });
    const steps = fc.array(
      fc.record({ row: fc.integer({ min: 0, max: 20 }), fill: byte, add: fc.boolean() }),
    );
    fc.assert(
      fc.property(steps, byte, (all, asked) => {
        const index = new PhotoDnaIndex();
        const model = new Map<number, number>();
        for (const { row, fill, add } of all) {
          if (add) {
            index.add(row, value(fill));
            model.set(row, fill);
          } else expect(index.remove(row)).toBe(model.delete(row));
        }
        const expected = [...model].flatMap(([row, fill]) => {
          const distance = 144 * (fill - asked) ** 2;
          return distance <= 2_000 ? [{ row, distance }] : [];
        });
        const byRow = (a: { row: number }, b: { row: number }) => a.row - b.row;
        expect(index.search(value(asked), squaredEuclidean(2_000)).sort(byRow)).toEqual(expected.sort(byRow));
      }),
    );
  });

  it('refuses values of another length', () => {
    const index = new PhotoDnaIndex();
    expect(() => index.add(1, randomBytes(143))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

describe('a hasher from outside', () => {
  const wanted = () => ({ pdq: false, photodna: true });

  it('gives its values to the judge', async () => {
    const { pipeline, judged } = makePipeline({ wanted, photodna: { hash: async () => [value(7)] } });
    await pipeline.checkBuffer(new Uint8Array([1]), { ref: 'x' });
    expect(judged[0]?.object.perceptual).toEqual({ pdq: [], photodna: [value(7)] });
  });

  it.each([
    ['throws', async () => Promise.reject(new Error('licence expired'))],
    ['finds nothing', async () => undefined],
    ['answers a value of another length', async () => [new Uint8Array(143)]],
    ['answers too many', async () => Array.from({ length: 65 }, () => value(1))],
  ])('that %s costs no verdict', async (_name, hash) => {
    const { pipeline, judged } = makePipeline({ wanted, photodna: { hash } });
    const { verdict } = await pipeline.checkBuffer(new Uint8Array([1]), { ref: 'x' });
    expect(verdict.perceptual).toBe('undecodable');
    expect(judged[0]?.object.perceptual?.undecoded).toBe('hasher');
  });
});

describe('a hasher that is a program', () => {
  const program = (script: string) =>
    hasherFromCommand({ command: process.execPath, args: ['-e', script, '--'], timeoutMs: 5_000 });
  const print =
    "console.log(require('crypto').createHash('sha512').update(input).digest('hex').repeat(3).slice(0,288))";

  it('gets a path, or bytes on standard input', async () => {
    const both = `const name = process.argv.at(-1);
      const input = require('fs').readFileSync(name === '-' ? 0 : name); ${print}`;
    const path = new URL(import.meta.url).pathname;
    const byPath = await program(both).hash(path);
    const byBytes = await program(both).hash(readFileSync(path));
    expect(byPath?.[0]).toHaveLength(144);
    expect(byBytes).toEqual(byPath);
  });

  it('may find nothing', async () => {
    expect(await program('').hash(new Uint8Array([1]))).toBeUndefined();
  });

  it.each([
    ['fails', 'process.exit(3)'],
    ['prints another length', "console.log('ab'.repeat(143))"],
    ['prints without end', "for (;;) require('fs').writeSync(1, 'ab'.repeat(5000))"],
  ])('that %s is an error', async (_name, script) => {
    await expect(program(script).hash(new Uint8Array(9))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('that is not there is an error', async () => {
    const missing = hasherFromCommand({ command: '/nonexistent/photodna' });
    await expect(missing.hash('x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('that takes too long is ended', async () => {
    const slow = hasherFromCommand({ command: 'sleep', args: ['60'], timeoutMs: 100 });
    await expect(slow.hash('60')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
