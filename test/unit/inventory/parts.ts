import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { Random } from '../../../sdk/core/index.js';
import type { InventoryEntry, Matched } from '../../../sdk/inventory/index.js';

export const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

export const storeWith = (secret: string) => ({
  keyFor: (use: string, salt: Uint8Array) => new Uint8Array(hkdfSync('sha256', secret, salt, use, 32)),
});

export const MATCHED: Matched = { sizes: { 'a.example/known/sha256/g1': 10 }, atMs: 1_000, freshMs: 900 };

const digest = (type: string, text: string) => new Uint8Array(createHash(type).update(text).digest());

export function entry(ref: string, over: Partial<InventoryEntry> = {}): InventoryEntry {
  return {
    ref: Buffer.from(ref),
    size: 1_000,
    mtimeNs: 1_700_000_000_123_456_789n,
    inode: 123_456_789n,
    md5: digest('md5', ref),
    sha1: digest('sha1', ref),
    sha256: digest('sha256', ref),
    perceptual: false,
    pdq: [],
    ...over,
  };
}
