import { join } from 'node:path';
import { z } from 'zod';
import {
  ALG_COSIGNATURE,
  formatVkey,
  fromHex,
  HashfedError,
  type NoteKey,
  type Random,
  type Suite,
  signNote,
  toHex,
} from '../../sdk/core/index.js';
import { type Disk, replaceFile } from '../storage/disk.js';

/** Bytes of a key file. */
const MAX_KEY_BYTES = 4096;
const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const KeyFileSchema = z.strictObject({
  format: z.literal(1),
  role: z.enum(['mirror', 'witness']),
  name: z.string(),
  algorithm: z.literal('ed25519'),
  public_key: hex32,
  seed: hex32,
});
type KeyFile = z.infer<typeof KeyFileSchema>;
export type CosignerRole = KeyFile['role'];

/** A key that cosigns (C2SP signature type 0x04) and can say nothing else. */
export interface Cosigner {
  readonly key: NoteKey;
  /** The line for this note body, now, in Unix seconds. */
  sign(body: string, timeS: number): string;
}

/**
 * Opens `{role}.key` in a folder, making it on the first start, and writes `{role}.vkey` beside it for those who
 * shall demand its cosignatures. Throws USAGE where the file is damaged or of another name.
 */
export async function openCosigner(
  { disk, suite, random }: { readonly disk: Disk; readonly suite: Suite; readonly random: Random },
  folder: string,
  role: CosignerRole,
  name: string,
): Promise<Cosigner> {
  const held = await disk.readFile(join(folder, `${role}.key`), MAX_KEY_BYTES);
  const file = held === undefined ? makeKey(suite, random, role, name) : readKey(held, role, name);
  const seed = fromHex(file.seed);
  const key: NoteKey = { name, algorithm: ALG_COSIGNATURE, publicKey: suite.ed25519.publicKey(seed) };
  if (toHex(key.publicKey) !== file.public_key) throw damaged(role);
  if (held === undefined) {
    await disk.mkdir(folder);
    await replaceFile(disk, folder, `${role}.key`, Buffer.from(`${JSON.stringify(file)}\n`));
  }
  await replaceFile(disk, folder, `${role}.vkey`, Buffer.from(`${formatVkey(suite.sha256, key)}\n`));
  return { key, sign: (body, timeS) => signNote(suite, body, key, seed, timeS) };
}

function makeKey(suite: Suite, random: Random, role: CosignerRole, name: string): KeyFile {
  const seed = random.bytes(32);
  const public_key = toHex(suite.ed25519.publicKey(seed));
  return { format: 1, role, name, algorithm: 'ed25519', public_key, seed: toHex(seed) };
}

function readKey(bytes: Uint8Array, role: CosignerRole, name: string): KeyFile {
  const parsed = KeyFileSchema.safeParse(safeJson(bytes));
  if (!parsed.success || parsed.data.role !== role) throw damaged(role);
  if (parsed.data.name !== name)
    throw new HashfedError('USAGE', `cosign.${role}: the key was made for another name`, {
      field: `cosign.${role}`,
    });
  return parsed.data;
}

function damaged(role: string): HashfedError {
  return new HashfedError('USAGE', `operator_keys: ${role}.key is no key file of that role`, {
    field: 'operator_keys',
  });
}

function safeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
