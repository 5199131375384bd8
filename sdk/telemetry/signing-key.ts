import { readFile } from 'node:fs/promises';
import {
  type BodySigner,
  type Ed25519,
  equalBytes,
  fromHex,
  HashfedError,
  seedSigner,
} from '../core/index.js';

/** Bytes of a key file. */
const MAX_KEY_FILE_BYTES = 4096;
const HEX_32 = /^[0-9a-f]{64}$/;

/**
 * A member's signing key from an unencrypted key file of format 1 (`hashfed init` writes one). What signs reports signs
 * without a person at hand, so its file is protected by its mode alone. Throws USAGE.
 */
export async function readSigningKey(file: string, ed25519: Ed25519): Promise<BodySigner> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new HashfedError('USAGE', `signing_key: ${file} ${why}`, { field: 'signing_key', cause });
  };
  const text = await readFile(file, 'utf8').catch((cause: unknown) => refuse('cannot be read', cause));
  const { role, seed, public_key } = parse(text);
  if (role !== 'signing' || !HEX_32.test(seed)) return refuse('is no unencrypted signing key');
  const signer = seedSigner(ed25519, fromHex(seed));
  if (!HEX_32.test(public_key) || !equalBytes(fromHex(public_key), signer.publicKey))
    return refuse('holds a public key that is not its own');
  return signer;
}

function parse(text: string): { role: string; seed: string; public_key: string } {
  const empty = { role: '', seed: '', public_key: '' };
  if (text.length > MAX_KEY_FILE_BYTES) return empty;
  try {
    const { format, role, seed, public_key } = JSON.parse(text) as Record<string, unknown>;
    if (format !== 1) return empty;
    return { role: String(role), seed: String(seed), public_key: String(public_key) };
  } catch {
    return empty;
  }
}
