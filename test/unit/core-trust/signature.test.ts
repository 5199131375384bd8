import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ed25519, isStrictPublicKey, tweetnaclBackend, verifyStrict } from '../../../sdk/core/index.js';
import { nodeEd25519 } from '../../../sdk/hash/platform/index.js';
import { smallOrderKeys } from '../../support/trust/make-ed25519.js';
import { readVectors, unhex } from '../../support/trust/vectors.js';

interface Vector {
  readonly why?: string;
  readonly seed?: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}
const vectors = readVectors<{ valid: Vector[]; invalid: Vector[] }>('ed25519/strict');
const backends: readonly Ed25519[] = [tweetnaclBackend, nodeEd25519];
const holds = (backend: Ed25519, one: Vector): boolean =>
  verifyStrict(backend, unhex(one.publicKey), unhex(one.message), unhex(one.signature));

describe.each(backends)('strict Ed25519 over $name', (backend) => {
  it.each(vectors.valid)('accepts $publicKey', (one) => {
    expect(holds(backend, one)).toBe(true);
    if (one.seed === undefined) return;
    expect(backend.publicKey(unhex(one.seed))).toEqual(unhex(one.publicKey));
    expect(backend.sign(unhex(one.seed), unhex(one.message))).toEqual(unhex(one.signature));
  });

  it.each(vectors.invalid)('refuses: $why ($publicKey)', (one) => {
    expect(holds(backend, one)).toBe(false);
  });
});

describe('the profile', () => {
  it('is needed: a bare backend accepts a malleated signature and a small-order key', () => {
    const malleated = vectors.invalid.find((one) => one.why === 'S + L')!;
    const { publicKey, message, signature } = malleated;
    expect(tweetnaclBackend.verify(unhex(publicKey), unhex(message), unhex(signature))).toBe(true);
    const weak = vectors.invalid.filter((one) => one.why === 'small-order key');
    const forged = weak.filter((one) =>
      backends.some((backend) =>
        backend.verify(unhex(one.publicKey), unhex(one.message), unhex(one.signature)),
      ),
    );
    expect(forged.length).toBeGreaterThan(0);
  });

  it('knows all 14 small-order encodings and nothing else of that kind', () => {
    const weak = smallOrderKeys();
    expect(new Set(weak).size).toBe(14);
    for (const key of weak) expect(isStrictPublicKey(unhex(key))).toBe(false);
  });

  it('knows every key of 2^255 - 19 and above', () => {
    for (let low = 0xed; low <= 0xff; low += 1) {
      for (const top of [0x7f, 0xff]) {
        const key = new Uint8Array(32).fill(0xff).fill(low, 0, 1).fill(top, 31);
        expect(isStrictPublicKey(key)).toBe(false);
      }
    }
    expect(isStrictPublicKey(new Uint8Array(32).fill(0xff).fill(0xeb, 0, 1).fill(0x7f, 31))).toBe(true);
  });

  it('gives the same answer from every backend on bent signatures', () => {
    const bend = fc.record({ at: fc.nat(127), bit: fc.nat(7), bytes: fc.uint8Array({ maxLength: 80 }) });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bend, (seed, { at, bit, bytes }) => {
        const both = new Uint8Array(96);
        both.set(nodeEd25519.publicKey(seed));
        both.set(nodeEd25519.sign(seed, bytes), 32);
        if (at < 96) both[at]! ^= 1 << bit;
        const answers = backends.map((one) => verifyStrict(one, both.slice(0, 32), bytes, both.slice(32)));
        expect(answers).toEqual([at >= 96, at >= 96]);
        expect(tweetnaclBackend.sign(seed, bytes)).toEqual(nodeEd25519.sign(seed, bytes));
      }),
      { numRuns: 120 },
    );
  });

  it('gives the same answer for arbitrary key and signature bytes', () => {
    const any = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(any, fc.uint8Array({ minLength: 64, maxLength: 64 }), (key, signature) => {
        const answers = backends.map((one) => verifyStrict(one, key, key, signature));
        expect(answers[0]).toBe(answers[1]);
      }),
      { numRuns: 150 },
    );
  });

  it('agrees with keys that the platform made', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const raw = Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }).subarray(12));
    const message = Uint8Array.of(1, 2, 3);
    const signature = Uint8Array.from(sign(null, message, privateKey));
    for (const backend of backends) expect(verifyStrict(backend, raw, message, signature)).toBe(true);
  });
});
