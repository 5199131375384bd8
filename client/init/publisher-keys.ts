import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Purpose } from '../../proto/gen/hashfed/v1/enums.js';
import type { OriginPolicy } from '../../proto/gen/hashfed/v1/root.js';
import type { Clock, Random, Suite } from '../../sdk/core/index.js';
import { encodeRootBody, makeKey, type SecretKey, signRootBody, writeKey } from '../publisher/keys/index.js';
import type { ListOutline, MemberOutline } from './plan.js';

const YEAR_MS = 365 * 86_400_000;

/** A development publisher: its keys by role, and its signed root of version 1. */
export interface DevelopmentPublisher {
  readonly outline: MemberOutline;
  /** The operator has no live key: its list never changes, so the newest SEAL stands for liveness, for 8 days. */
  readonly keys: Readonly<Record<'root' | 'list' | 'approve', SecretKey>> & { readonly live?: SecretKey };
  readonly envelope: Uint8Array;
  /** SHA-256 of the version-1 body: what others pin. */
  readonly fingerprint: Uint8Array;
}

export interface InitEnvironment {
  readonly suite: Suite;
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes all keys of a publisher; in a real federation each lies with another person. */
export function makePublisher(
  environment: InitEnvironment,
  outline: MemberOutline,
  freshnessKey: Uint8Array,
): DevelopmentPublisher {
  const { suite, clock, random } = environment;
  const make = (role: 'root' | 'list' | 'approve' | 'live', name = '') =>
    makeKey(role, name, random, suite.ed25519);
  const keys = {
    root: make('root'),
    list: make('list'),
    approve: make('approve', `${outline.domain}/approve-1`),
    ...(!outline.roles.includes('operator') && { live: make('live') }),
  };
  const issuedAtMs = clock.nowMs();
  const named = [...Object.values(keys), { role: 'freshness' as const, name: '', publicKey: freshnessKey }];
  const body = encodeRootBody(suite.sha256, {
    publisher: `members/${outline.name}`,
    version: 1,
    issuedAtMs,
    expiresMs: issuedAtMs + YEAR_MS,
    contact: {
      name: outline.displayName,
      phone: '',
      email: `lists@${outline.domain}`,
      hours: 'office hours',
      languages: ['en'],
    },
    criteria: {
      url: `https://${outline.domain}/criteria`,
      sha256: suite.sha256.digest(new TextEncoder().encode('development')),
    },
    keys: named,
    thresholds: { root: 1, approve: 1 },
    origins: outline.lists.map((list) => originPolicy(list, keys.list.publicKey)),
  });
  return {
    outline,
    keys,
    envelope: signRootBody(suite.ed25519, body, [keys.root]),
    fingerprint: suite.sha256.digest(body),
  };
}

const PURPOSES = { listed: Purpose.LISTED, 'known-good': Purpose.KNOWN_GOOD, test: Purpose.TEST } as const;

function originPolicy({ origin, purpose }: ListOutline, sequencingKey: Uint8Array): OriginPolicy {
  return {
    origin,
    purpose: PURPOSES[purpose],
    sequencingKey,
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
  };
}

/** Writes a publisher's keys, one a file, named by role. */
export async function writePublisherKeys(
  environment: InitEnvironment,
  folder: string,
  { keys }: DevelopmentPublisher,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const key of Object.values(keys))
    await writeKey(join(folder, `${key.role}.key`), key, environment.random);
}
