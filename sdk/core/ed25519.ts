/**
 * Ed25519 as the core sees it: raw primitives that come in as an argument. Never call a backend directly:
 * `signature.ts` puts the strict profile in front of every one of them.
 */
export interface Ed25519 {
  readonly name: string;
  /** The 32-byte public key of a 32-byte seed (RFC 8032 §5.1.5). */
  publicKey(seed: Uint8Array): Uint8Array;
  /** The 64-byte signature of `message` (RFC 8032 §5.1.6). */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** Plain verification of sizes already checked by the caller. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
