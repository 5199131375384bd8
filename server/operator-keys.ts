import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { type BodySigner, type Ed25519, fromHex, HashfedError, seedSigner } from '../sdk/core/index.js';
import { type Disk, replaceFile } from './storage/disk.js';

/** Bytes of a key file. */
const MAX_KEY_BYTES = 4096;
const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const KeyFileSchema = z.object({
  format: z.literal(1),
  role: z.string(),
  algorithm: z.literal('ed25519'),
  public_key: hex32,
  seed: hex32,
});

/** The operator's own keys: it signs freshness and receipts, and proves that nobody rolled its store back. */
export interface OperatorKeys {
  /** Absent: the server issues no freshness, and clients say STALE. */
  readonly freshness: BodySigner | undefined;
  /** Signs receipts and other bodies as the operator's member. */
  readonly signing: BodySigner | undefined;
  /** 32 bytes that authenticate the store's head file. */
  readonly headsKey: Uint8Array;
  /** 32 bytes under which withdrawn hashes are remembered. */
  readonly memoryKey: Uint8Array;
}

/** Reads `freshness.key` and `signing.key`; makes `heads.key` on the first start. Throws USAGE. */
export async function openOperatorKeys(
  disk: Disk,
  directory: string,
  ed25519: Ed25519,
): Promise<OperatorKeys> {
  const heads = await headsKey(disk, directory);
  return {
    freshness: await readSigner(disk, join(directory, 'freshness.key'), 'freshness', ed25519),
    signing: await readSigner(disk, join(directory, 'signing.key'), 'signing', ed25519),
    headsKey: heads,
    memoryKey: new Uint8Array(createHmac('sha256', heads).update('hashfed-withdrawn/1\n').digest()),
  };
}

async function readSigner(
  disk: Disk,
  file: string,
  role: string,
  ed25519: Ed25519,
): Promise<BodySigner | undefined> {
  const bytes = await disk.readFile(file, MAX_KEY_BYTES);
  if (bytes === undefined) return undefined;
  const parsed = KeyFileSchema.safeParse(safeJson(bytes));
  if (!parsed.success || parsed.data.role !== role) {
    throw new HashfedError(
      'USAGE',
      `operator_keys: the ${role} key is no unencrypted key file of that role`,
      { field: 'operator_keys' },
    );
  }
  return seedSigner(ed25519, fromHex(parsed.data.seed));
}

async function headsKey(disk: Disk, directory: string): Promise<Uint8Array> {
  const file = join(directory, 'heads.key');
  const held = await disk.readFile(file, MAX_KEY_BYTES);
  if (held !== undefined) {
    const text = Buffer.from(held).toString('utf8').trim();
    if (!hex32.safeParse(text).success)
      throw new HashfedError('USAGE', 'operator_keys: heads.key is damaged', { field: 'operator_keys' });
    return fromHex(text);
  }
  const key = new Uint8Array(randomBytes(32));
  await disk.mkdir(directory);
  await replaceFile(disk, directory, 'heads.key', Buffer.from(`${Buffer.from(key).toString('hex')}\n`));
  return key;
}

function safeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
