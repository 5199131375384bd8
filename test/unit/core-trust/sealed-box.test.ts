import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { boxPublicKey, openBox, SEALED_BOX_OVERHEAD, sealBox } from '../../../sdk/core/index.js';
import { refusal } from '../../support/trust/refusal.js';
import { hex } from '../../support/trust/vectors.js';

const random = { bytes: (length: number) => Uint8Array.from(randomBytes(length)) };
const counting = { bytes: (length: number) => Uint8Array.from({ length }, (_, i) => i + length) };
const secret = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const key = boxPublicKey(secret);
const text = new TextEncoder().encode('https://host.example/file');

describe('sealed boxes', () => {
  it('open for their recipient', () => {
    const sealed = sealBox(random, key, text);
    expect(sealed.length).toBe(text.length + SEALED_BOX_OVERHEAD);
    expect(openBox(secret, sealed)).toEqual(text);
    expect(openBox(secret, sealBox(random, key, new Uint8Array(0)))).toEqual(new Uint8Array(0));
  });

  it('are ephemeral key, nonce and box, from the randomness given', () => {
    const sealed = sealBox(counting, key, text);
    expect(sealed.slice(0, 32)).toEqual(boxPublicKey(counting.bytes(32)));
    expect(sealed.slice(32, 56)).toEqual(counting.bytes(24));
    expect(hex(sealed)).toBe(hex(sealBox(counting, key, text)));
  });

  it('refuse others and any change', () => {
    const sealed = sealBox(random, key, text);
    expect(
      refusal(() =>
        openBox(
          secret.map((byte) => byte ^ 1),
          sealed,
        ),
      ).code,
    ).toBe('MALFORMED');
    for (let at = 0; at < sealed.length; at += 1) {
      // The top bit of the ephemeral key carries no information in X25519, by RFC 7748 §5.
      const bent = sealed.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(refusal(() => openBox(secret, bent)).code).toBe('MALFORMED');
    }
    for (const length of [0, 1, 71])
      expect(refusal(() => openBox(secret, sealed.slice(0, length))).code).toBe('MALFORMED');
  });

  it('refuse keys of low order, under which anybody could open them', () => {
    const low = [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    ];
    for (const weak of low) {
      const run = () => sealBox(random, Uint8Array.from(Buffer.from(weak, 'hex')), text);
      expect(refusal(run)).toEqual({ code: 'MALFORMED', field: 'recipient' });
    }
    expect(refusal(() => sealBox(random, key.slice(1), text)).code).toBe('MALFORMED');
    expect(refusal(() => openBox(secret, new Uint8Array(100))).code).toBe('MALFORMED');
  });
});
