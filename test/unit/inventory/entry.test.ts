import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockWriter, comparePaths, EntryCursor, showPath } from '../../../sdk/inventory/index.js';
import { entry } from './parts.js';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const anyEntry = fc.record({
  ref: fc.uint8Array({ minLength: 1, maxLength: 200 }),
  size: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  mtimeNs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  inode: fc.bigInt({ min: 0n, max: 2n ** 48n - 1n }),
  md5: bytes(16),
  sha1: bytes(20),
  sha256: bytes(32),
  perceptual: fc.boolean(),
  pdq: fc.array(fc.record({ hash: bytes(32), quality: fc.integer({ min: 0, max: 100 }) }), { maxLength: 3 }),
});

describe('entries of a block', () => {
  it('come back as they were, in order', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 30 }), (entries) => {
        const writer = new BlockWriter();
        for (const one of entries) writer.add(one);
        const cursor = new EntryCursor(writer.take());
        for (const one of entries) {
          expect(cursor.next()).toBe(true);
          expect(cursor.entry()).toEqual(one);
          expect(cursor.isUnchanged(one.size, one.mtimeNs, one.inode)).toBe(true);
          expect(cursor.isUnchanged(one.size, one.mtimeNs ^ 1n, one.inode)).toBe(false);
        }
        expect(cursor.next()).toBe(false);
      }),
    );
  });

  it('any bytes are read or refused, never more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const cursor = new EntryCursor(bytes);
        try {
          while (cursor.next()) expect(cursor.entry().ref.length).toBeLessThanOrEqual(4096);
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORAGE_FAILED' });
        }
      }),
    );
  });

  it.each([0, 4097])('refuses a reference of %d bytes', (length) => {
    const add = () => new BlockWriter().add(entry('x', { ref: new Uint8Array(length) }));
    expect(add).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('paths', () => {
  it('are ordered as a walk meets them: folder by folder, names by their bytes', () => {
    const parts = fc.array(fc.stringMatching(/^[a-c!~-]{1,3}$/), { minLength: 1, maxLength: 4 });
    const compareParts = (a: string[], b: string[]): number => {
      const at = a.findIndex((part, i) => part !== b[i]);
      if (at < 0) return a.length - b.length;
      return b[at] === undefined ? 1 : Buffer.compare(Buffer.from(a[at]!), Buffer.from(b[at]));
    };
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const order = comparePaths(Buffer.from(a.join('/')), Buffer.from(b.join('/')));
        expect(Math.sign(order)).toBe(Math.sign(compareParts(a, b)));
      }),
    );
  });

  it('are shown as text, other bytes as such', () => {
    expect(showPath(Buffer.from('grün/x'))).toBe('grün/x');
    expect(showPath(Uint8Array.from([0x61, 0xff, 0x62]))).toBe('a\\xffb');
  });
});
