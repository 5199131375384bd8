import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Ed25519, fromHex, HashfedError, type Random, toHex } from '../../../sdk/core/index.js';
import { isTokenBackend } from '../pkcs11/index.js';
import { openSeed, sealSeed } from './seal.js';

/** What a publisher's key may do; `signing` and `directory` keys are members' own, outside every publisher root. */
export const KEY_ROLES = ['root', 'list', 'approve', 'live', 'freshness', 'signing', 'directory'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

/** A secret key in memory; of a key in a token, `seed` is the handle of its backend. `name` is what an approve key cosigns under; empty for every other role. */
export interface SecretKey {
  readonly role: KeyRole;
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly seed: Uint8Array;
}

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const KeyFileSchema = z.strictObject({
  format: z.literal(1),
  role: z.enum(KEY_ROLES),
  name: z.string().max(128),
  algorithm: z.literal('ed25519'),
  public_key: hex(32),
  /** In clear: for development and for keys on an encrypted medium only. */
  seed: hex(32).optional(),
  sealed: z
    .strictObject({
      kdf: z.literal('scrypt'),
      log_n: z.number().int().min(14).max(20),
      salt: hex(16),
      nonce: hex(12),
      box: hex(48),
    })
    .optional(),
  /** The private half lies in a PKCS#11 token of this label; the file holds no secret. */
  pkcs11: z.strictObject({ token: z.string().max(64) }).optional(),
});

export type KeyFile = z.infer<typeof KeyFileSchema>;

/** A new key from `random`. */
export function makeKey(role: KeyRole, name: string, random: Random, ed25519: Ed25519): SecretKey {
  const seed = random.bytes(32);
  return { role, name, seed, publicKey: ed25519.publicKey(seed) };
}

/** Writes one key a file, readable by its owner only; never over a file that exists. */
export async function writeKey(
  file: string,
  key: SecretKey,
  random: Random,
  passphrase?: string,
): Promise<void> {
  const secret =
    passphrase === undefined ? { seed: toHex(key.seed) } : { sealed: sealSeed(key.seed, passphrase, random) };
  await writeNew(file, { ...publicPart(key), ...secret });
}

const publicPart = ({ role, name, publicKey }: Omit<SecretKey, 'seed'>): object => ({
  format: 1,
  role,
  name,
  algorithm: 'ed25519',
  public_key: toHex(publicKey),
});

async function writeNew(file: string, content: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' }).catch(
    (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EEXIST' ? 'a key is there already and is never overwritten' : 'cannot be written';
      throw new HashfedError('USAGE', `${file}: ${why}`, { field: 'key', cause });
    },
  );
}

/** The public part of a key file. Throws USAGE for what is no key file. */
export async function readKeyFile(file: string): Promise<KeyFile> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read the key ${file}`, { field: 'key', cause });
  });
  const parsed = KeyFileSchema.safeParse(safeJson(text));
  if (!parsed.success)
    throw new HashfedError('USAGE', `${file} is not a key file of format 1`, { field: 'key' });
  return parsed.data;
}

/**
 * Reads a key. Throws USAGE where it needs a passphrase that is absent or wrong, where its role is another than
 * `role`, or where its seed does not make its public key.
 */
export async function readKey(
  file: string,
  role: KeyRole,
  ed25519: Ed25519,
  passphrase?: string,
): Promise<SecretKey> {
  const stored = await readKeyFile(file);
  if (stored.role !== role) {
    throw new HashfedError(
      'USAGE',
      `${file} holds the ${stored.role} key, but the ${role} key is needed here`,
      {
        field: 'key',
      },
    );
  }
  const seed = seedOf(file, stored, ed25519, passphrase);
  const publicKey = ed25519.publicKey(seed);
  if (toHex(publicKey) !== stored.public_key) {
    throw new HashfedError('USAGE', `${file}: the seed does not make the public key; the file is damaged`, {
      field: 'key',
    });
  }
  return { role, name: stored.name, publicKey, seed };
}

function seedOf(file: string, stored: KeyFile, ed25519: Ed25519, passphrase: string | undefined): Uint8Array {
  if (stored.pkcs11 === undefined)
    return stored.seed === undefined ? openStored(file, stored, passphrase) : fromHex(stored.seed);
  if (isTokenBackend(ed25519)) return ed25519.handleOf(fromHex(stored.public_key));
  throw new HashfedError(
    'USAGE',
    `${file}: this key lies in the token "${stored.pkcs11.token}"; name its module with --pkcs11 or HASHFED_PKCS11_MODULE`,
    { field: 'pkcs11' },
  );
}

/** Writes the file of a key in a token: its public half, and where the private half is. */
export async function writeTokenKey(
  file: string,
  key: Omit<SecretKey, 'seed'>,
  token: string,
): Promise<void> {
  await writeNew(file, { ...publicPart(key), pkcs11: { token } });
}

function openStored(file: string, stored: KeyFile, passphrase: string | undefined): Uint8Array {
  if (stored.sealed === undefined)
    throw new HashfedError('USAGE', `${file} holds no secret key`, { field: 'key' });
  if (passphrase === undefined) {
    throw new HashfedError('USAGE', `${file} is encrypted; set HASHFED_KEY_PASSPHRASE`, {
      field: 'passphrase',
    });
  }
  const seed = openSeed(stored.sealed, passphrase);
  if (seed === undefined)
    throw new HashfedError('USAGE', `${file}: wrong passphrase`, { field: 'passphrase' });
  return seed;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
