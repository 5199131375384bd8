import { createHash } from 'node:crypto';
import {
  encodeRootBody,
  makeKey,
  type RootChange,
  type SecretKey,
  signRootBody,
} from '../../../client/publisher/index.js';
import { Purpose } from '../../../proto/gen/hashfed/v1/enums.js';
import type { PublisherRoot } from '../../../sdk/core/index.js';
import { startRoot } from '../../../sdk/core/index.js';
import { platformSuite } from '../../../sdk/hash/platform/index.js';

export const suite = platformSuite();
export const NOW = Date.UTC(2026, 0, 5);
export const ORIGINS = ['p.example/known/md5/g1', 'p.example/known/sha256/g1'] as const;

/** Deterministic bytes: the same seed makes the same keys. */
export function seeded(seed: string) {
  let at = 0;
  return {
    bytes(length: number): Uint8Array {
      at += 1;
      const out = createHash('sha512').update(`${seed}/${at}`).digest();
      return new Uint8Array(out.subarray(0, length));
    },
  };
}

const random = seeded('trust-process');
export const newKey = (role: SecretKey['role'], name = ''): SecretKey =>
  makeKey(role, name, random, suite.ed25519);

export interface Version1 {
  readonly envelope: Uint8Array;
  readonly root: PublisherRoot;
  readonly roots: readonly SecretKey[];
  readonly list: SecretKey;
  readonly approve: SecretKey;
  readonly live: SecretKey;
}

/** Version 1 with three root keys, two of which must sign. */
export function versionOne(): Version1 {
  const roots = [newKey('root'), newKey('root'), newKey('root')];
  const [list, approve, live] = [newKey('list'), newKey('approve', 'p.example/a'), newKey('live')];
  const body = encodeRootBody(suite.sha256, {
    publisher: 'members/p',
    version: 1,
    issuedAtMs: NOW,
    expiresMs: NOW + 86_400_000,
    contact: { name: 'P', phone: '', email: 'a@p.example', hours: '', languages: ['en'] },
    criteria: { url: 'https://p.example/criteria', sha256: new Uint8Array(32) },
    keys: [...roots, list, approve, live],
    thresholds: { root: 2, approve: 1 },
    origins: ORIGINS.map((origin) => ({
      origin,
      purpose: Purpose.LISTED,
      sequencingKey: list.publicKey,
      oneKeyLimit: 0n,
      minSigners: 1,
      freshnessMaxS: 0,
      maxSilenceS: 0,
      maxSealAgeS: 0,
      eraseAfterS: 0,
      backupMaxS: 0,
      autoHold: undefined,
      handOver: undefined,
      succeeds: undefined,
    })),
  });
  const envelope = signRootBody(suite.ed25519, body, roots);
  const root = startRoot(suite, envelope, suite.sha256.digest(body));
  return { envelope, root, roots, list, approve, live };
}

/** A change that changes nothing, but for `more`. */
export const change = (more: Partial<RootChange> = {}): RootChange => ({
  nowMs: NOW + 1000,
  validDays: 365,
  add: [],
  remove: [],
  revoked: false,
  thresholds: {},
  lastGood: new Map(ORIGINS.map((origin, i) => [origin, { size: 10 + i, root: new Uint8Array(32).fill(i) }])),
  close: [],
  ...more,
});
