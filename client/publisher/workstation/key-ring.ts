import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ed25519, equalBytes, type PublisherRoot, toHex } from '../../../sdk/core/index.js';
import { type KeyFile, type KeyRole, readKey, readKeyFile, type SecretKey } from '../keys/index.js';
import { loadRecord, recordDisk } from '../signer/index.js';

const SUFFIX = '.key';

/** A key that lies in the keys folder, not yet opened. */
export interface KeyAtHand {
  readonly file: string;
  readonly stored: KeyFile;
}

/** The keys in a folder, by file name. Files that are no keys are left alone. */
export async function keysAtHand(folder: string): Promise<KeyAtHand[]> {
  const names = await readdir(folder).catch(() => []);
  const found: KeyAtHand[] = [];
  for (const name of names.filter((one) => one.endsWith(SUFFIX)).sort()) {
    const file = join(folder, name);
    const stored = await readKeyFile(file).catch(() => undefined);
    if (stored !== undefined) found.push({ file, stored });
  }
  return found;
}

/** The keys of a role that the root names for it, of those at hand. */
export function usableKeys(
  keys: readonly KeyAtHand[],
  root: PublisherRoot,
  role: 'list' | 'approve',
): KeyAtHand[] {
  const named = new Set(root.roles[role].keys.map(({ key }) => toHex(key)));
  return keys.filter(({ stored }) => stored.role === role && named.has(stored.public_key));
}

/** Opens a key; throws USAGE as `readKey`. */
export function openKey(
  { file, stored }: KeyAtHand,
  role: KeyRole,
  ed25519: Ed25519,
  passphrase: string | undefined,
): Promise<SecretKey> {
  return readKey(file, role, ed25519, stored.sealed === undefined ? undefined : passphrase);
}

/** Where a key's record lies: one file a key, named by its public key. */
export async function recordFile(records: string, publicKey: Uint8Array): Promise<string> {
  await mkdir(records, { recursive: true, mode: 0o700 });
  return join(records, `${toHex(publicKey).slice(0, 16)}.record`);
}

/** By origin: the size that a key signed last, from its record. */
export async function signedSizes(records: string, publicKey: Uint8Array): Promise<Map<string, number>> {
  const record = await loadRecord(recordDisk, await recordFile(records, publicKey), publicKey);
  return new Map((record?.heads ?? []).map(({ origin, size }) => [origin, Number(size)]));
}

export const sameKey = (a: Uint8Array, hex: string): boolean => equalBytes(a, Buffer.from(hex, 'hex'));
