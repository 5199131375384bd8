/** Keys for tests: every seed is SHA-256 of a public sentence, so that nobody mistakes them for secrets. */
import { type BodySigner, portableSha256, seedSigner, utf8 } from '../../../sdk/core/index.js';
import { nodeEd25519, platformSuite } from '../../../sdk/hash/platform/index.js';

export const suite = platformSuite();

export interface TestKey {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signer: BodySigner;
}

export function testKey(name: string): TestKey {
  const seed = portableSha256.digest(utf8(`hashfed test key ${name}`));
  return { seed, publicKey: nodeEd25519.publicKey(seed), signer: seedSigner(nodeEd25519, seed) };
}

export const digestOf = (text: string): Uint8Array => portableSha256.digest(utf8(text));
