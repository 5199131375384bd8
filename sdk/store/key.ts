import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { HashfedError } from '../core/index.js';
import { KEY_BYTES, KEY_ID_BYTES } from './limits.js';

/** The hoster's store key: 32 random bytes that never lie inside the store. */
export interface StoreKey {
  /** 8 bytes that name the key in the store; says nothing about it. */
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Hands over the store key when the store opens, and only then. `wanted` is the id of the key that the store
 * was wrapped with, undefined for a new store: a provider that holds several keys (rotation) picks by it.
 */
export interface KeyProvider {
  key(wanted: Uint8Array | undefined): Promise<StoreKey>;
}

/** `STORAGE_FAILED` unless `bytes` are 32 and not all alike. */
export function storeKey(bytes: Uint8Array): StoreKey {
  if (bytes.length !== KEY_BYTES) throw new HashfedError('STORAGE_FAILED', 'the store key must be 32 bytes');
  if (bytes.every((b) => b === bytes[0])) {
    throw new HashfedError('STORAGE_FAILED', 'the store key is not random');
  }
  const digest = createHash('sha256').update('hashfed-store-key/1\n').update(bytes).digest();
  return { id: new Uint8Array(digest.subarray(0, KEY_ID_BYTES)), bytes: new Uint8Array(bytes) };
}

/** Takes 32 raw bytes, or 64 hexadecimal digits with an optional line end. */
export function parseStoreKey(content: Uint8Array): StoreKey {
  if (content.length === KEY_BYTES) return storeKey(content);
  const text = Buffer.from(content).toString('latin1').trimEnd();
  if (!/^[0-9a-fA-F]{64}$/.test(text)) {
    throw new HashfedError('STORAGE_FAILED', 'the store key must be 32 bytes or 64 hexadecimal digits');
  }
  return storeKey(Buffer.from(text, 'hex'));
}

async function readKeyFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode, size } = await file.stat();
      if ((mode & 0o077) !== 0) {
        throw new HashfedError(
          'STORAGE_FAILED',
          `the store key file ${path} must be readable by its owner only (0600)`,
        );
      }
      if (size > 256) throw new HashfedError('STORAGE_FAILED', `the store key file ${path} is too long`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof HashfedError) throw cause;
    throw new HashfedError('STORAGE_FAILED', `the store key file ${path} cannot be read`, { cause });
  }
}

/** A file of mode 0600. `STORAGE_FAILED` when it is absent, malformed, or readable by others. */
export function keyFromFile(path: string): KeyProvider {
  return { key: async () => parseStoreKey(await readKeyFile(path)) };
}

/** 64 hexadecimal digits in a variable of `environment`. */
export function keyFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  name = 'HASHFED_STORE_KEY',
): KeyProvider {
  return {
    key: async () => {
      const text = environment[name];
      if (text === undefined) throw new HashfedError('STORAGE_FAILED', `${name} is not set`);
      return parseStoreKey(Buffer.from(text, 'latin1'));
    },
  };
}

/** A callback to a key management service; its failures become `STORAGE_FAILED` with the cause kept. */
export function keyFromCallback(
  fetchKey: (wanted: Uint8Array | undefined) => Promise<Uint8Array> | Uint8Array,
): KeyProvider {
  return {
    key: async (wanted) => {
      try {
        return storeKey(await fetchKey(wanted));
      } catch (cause) {
        if (cause instanceof HashfedError) throw cause;
        throw new HashfedError('STORAGE_FAILED', 'the key service did not give the store key', { cause });
      }
    },
  };
}
