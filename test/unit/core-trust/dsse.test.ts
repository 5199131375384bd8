import { describe, expect, it } from 'vitest';
import { type BodyKind, pae, parseDsse, payloadType, verifyDsse } from '../../../sdk/core/index.js';
import { suite } from '../../support/trust/keys.js';
import { refusal } from '../../support/trust/refusal.js';
import { hex, readVectors, unhex } from '../../support/trust/vectors.js';

interface Vector {
  readonly why: string;
  readonly kind: BodyKind;
  readonly envelope: string;
  readonly keys: string[];
  readonly threshold: number;
  readonly code: string;
}
const vectors = readVectors<{ body: string; valid: Vector[]; invalid: Vector[] }>('dsse/envelopes');
const verify = (one: Vector): Uint8Array =>
  verifyDsse(suite, one.kind, unhex(one.envelope), { keys: one.keys.map(unhex), threshold: one.threshold });

describe('DSSE', () => {
  it.each(vectors.valid)('accepts: $why', (one) => {
    expect(hex(verify(one))).toBe(vectors.body);
  });

  it.each(vectors.invalid)('refuses: $why', (one) => {
    expect(refusal(() => verify(one)).code).toBe(one.code);
  });

  it('authenticates type and body with their lengths', () => {
    const text = new TextDecoder().decode(
      pae('http://example.com/HelloWorld', new TextEncoder().encode('hello world')),
    );
    expect(text).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
    expect(payloadType('blinded-set')).toBe('application/vnd.hashfed.blinded-set+proto;v=1');
  });

  it('refuses a body over the limit of its kind', () => {
    const envelope = unhex(vectors.valid[0]!.envelope);
    expect(refusal(() => parseDsse('freshness', envelope, 10)).code).toBe('MALFORMED');
  });
});
