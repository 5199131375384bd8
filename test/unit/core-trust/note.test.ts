import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cosignatureCounts,
  formatCheckpoint,
  formatVkey,
  fromBase64,
  parseCheckpoint,
  parseNote,
  parseVkey,
  portableSha256,
  toBase64,
  verifyNote,
} from '../../../sdk/core/index.js';
import { suite } from '../../support/trust/keys.js';
import { refusal } from '../../support/trust/refusal.js';
import { readVectors } from '../../support/trust/vectors.js';

interface Vector {
  readonly why: string;
  readonly note: string;
  readonly keys: string[];
  readonly verified?: string[];
  readonly code?: string;
}
interface File {
  readonly body: string;
  readonly keys: string[];
  readonly valid: Vector[];
  readonly invalid: Vector[];
  readonly invalid_vkeys: string[];
  readonly invalid_checkpoints: string[];
}
const vectors = readVectors<File>('note/checkpoints');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
const keysOf = (one: Vector) => one.keys.map((text) => parseVkey(portableSha256, text));

describe('signed notes', () => {
  it.each(vectors.valid)('accept: $why', (one) => {
    const note = verifyNote(suite, bytesOf(one.note), keysOf(one));
    expect(note.body).toBe(vectors.body);
    expect(note.verified.map(({ key }) => key.name)).toEqual(one.verified);
  });

  it.each(vectors.invalid)('refuse: $why', (one) => {
    expect(refusal(() => verifyNote(suite, bytesOf(one.note), keysOf(one))).code).toBe(one.code);
  });

  it('never accept or throw anything but a refusal on bent bytes', () => {
    const good = bytesOf(vectors.valid[1]!.note);
    const keys = keysOf(vectors.valid[1]!);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const bent = good.slice();
        bent[at]! ^= bits;
        const { code } = refusal(() => {
          const note = verifyNote(suite, bent, keys);
          // What is still accepted lost a signature to an unknown name or key ID, and kept the body.
          expect(note.verified.length).toBeLessThan(2);
          expect(note.verified.length === 0 || note.body === vectors.body).toBe(true);
        });
        expect(['accepted', 'MALFORMED', 'BAD_SIGNATURE']).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  it('refuse a key set in which a name and key ID are ambiguous', () => {
    const [key] = keysOf(vectors.valid[0]!);
    const colliding = { ...suite, sha256: { ...suite.sha256, digest: () => new Uint8Array(32) } };
    const twin = { ...key!, publicKey: keysOf(vectors.valid[1]!)[1]!.publicKey };
    const run = () => verifyNote(colliding, bytesOf(vectors.valid[0]!.note), [key!, twin]);
    expect(refusal(run)).toEqual({ code: 'MALFORMED', field: 'keys' });
  });

  it('split a body that itself holds a blank line at the last one', () => {
    const note = parseNote(new TextEncoder().encode(`a\n\nb\n\n— x ${toBase64(new Uint8Array(9))}\n`));
    expect(note.body).toBe('a\n\nb\n');
    expect(note.signatures).toHaveLength(1);
  });

  it('count a cosignature up to 10 minutes ahead', () => {
    expect(cosignatureCounts(1_000_600, 1_000_000_000)).toBe(true);
    expect(cosignatureCounts(1_000_601, 1_000_000_000)).toBe(false);
    expect(cosignatureCounts(0, 1_000_000_000)).toBe(true);
  });
});

describe('verifier keys', () => {
  it.each(vectors.keys)('round trip: %s', (text) => {
    expect(formatVkey(portableSha256, parseVkey(portableSha256, text))).toBe(text);
  });

  it.each(vectors.invalid_vkeys)('refuse: %s', (text) => {
    expect(refusal(() => parseVkey(portableSha256, text)).code).toBe('MALFORMED');
  });
});

describe('checkpoints', () => {
  it('round trip', () => {
    const checkpoint = parseCheckpoint(vectors.body);
    expect(checkpoint.size).toBe(10);
    expect(formatCheckpoint(checkpoint)).toBe(vectors.body);
  });

  it.each(vectors.invalid_checkpoints)('refuse: %j', (body) => {
    expect(refusal(() => parseCheckpoint(body)).code).toBe('MALFORMED');
  });
});

describe('base64', () => {
  it('is the usual one, and strict', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(fromBase64(toBase64(bytes), 'x')).toEqual(bytes);
      }),
    );
    for (const text of [
      'A',
      'AA',
      'AAA',
      'A===',
      'AA=A',
      '====',
      'AB==',
      'AAB=',
      'AAA=\n',
      'A-A=',
      'AAAA=',
      'AAAA====',
    ]) {
      expect(refusal(() => fromBase64(text, 'x'))).toEqual({ code: 'MALFORMED', field: 'x' });
    }
  });
});
