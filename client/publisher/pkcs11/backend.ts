import { randomBytes } from 'node:crypto';
import { type Ed25519, HashfedError, toHex, verifyStrict } from '../../../sdk/core/index.js';
import type { Token } from './token.js';

/** An Ed25519 backend that also signs with keys of a token: where others take a seed, it takes a handle of its own. */
export interface TokenBackend extends Ed25519 {
  /** 32 random bytes that stand for the private half of a key in the token. Throws USAGE where it is not there. */
  handleOf(publicKey: Uint8Array): Uint8Array;
}

/** Signs with `token` for handles of it, and with `base` for seeds. A handle is no secret and signs nothing elsewhere. */
export function tokenBackend(base: Ed25519, token: Token): TokenBackend {
  const held = new Map<string, Uint8Array>();
  const ownKey = (seed: Uint8Array): Uint8Array | undefined => held.get(toHex(seed));
  return {
    name: `${base.name}+pkcs11`,
    handleOf: (publicKey) => {
      if (!token.has(publicKey))
        throw new HashfedError('USAGE', 'the token does not hold this key', { field: 'pkcs11' });
      const handle = new Uint8Array(randomBytes(32));
      held.set(toHex(handle), publicKey.slice());
      return handle;
    },
    publicKey: (seed) => ownKey(seed) ?? base.publicKey(seed),
    sign: (seed, message) => {
      const publicKey = ownKey(seed);
      if (publicKey === undefined) return base.sign(seed, message);
      return checked(base, publicKey, message, token.sign(publicKey, message));
    },
    verify: (publicKey, message, signature) => base.verify(publicKey, message, signature),
  };
}

/** A token that signs something else (a prehashed variant, say) is found out before anything leaves. */
function checked(
  base: Ed25519,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  if (verifyStrict(base, publicKey, message, signature)) return signature;
  throw new HashfedError('BAD_SIGNATURE', 'the token answered a signature that is no plain Ed25519', {
    field: 'pkcs11',
  });
}

export const isTokenBackend = (backend: Ed25519): backend is TokenBackend => 'handleOf' in backend;
