import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Purpose } from '../../../proto/gen/hashfed/v1/enums.js';
import { fromHex, HashfedError, type Sha256 } from '../../../sdk/core/index.js';
import type { KeyRole } from './key-file.js';
import { encodeRootBody, type NamedKey } from './root-body.js';

const hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const seconds = z.number().int().min(0).default(0);

const ListPlan = z.strictObject({
  origin: z.string().min(1).max(128),
  purpose: z.enum(['listed', 'known-good', 'test']),
  one_key_limit: z.number().int().min(0).default(0),
  min_signers: z.union([z.literal(1), z.literal(2)]).default(1),
  max_silence_s: seconds,
  max_seal_age_s: seconds,
  erase_after_s: seconds,
});

/** What a publisher writes down before version 1 of its root is signed; public keys only. 0 means the default. */
export const RootPlanSchema = z.strictObject({
  format: z.literal(1),
  publisher: z.string().regex(/^members\/[a-z0-9-]{1,64}$/),
  valid_days: z.number().int().min(1).max(3660),
  contact: z.strictObject({
    name: z.string(),
    phone: z.string().default(''),
    email: z.string().default(''),
    hours: z.string().default(''),
    languages: z.array(z.string()).default([]),
  }),
  criteria: z.strictObject({ url: z.string(), sha256: hex32 }),
  keys: z.array(
    z.strictObject({
      role: z.enum(['root', 'list', 'approve', 'live', 'freshness']),
      name: z.string().max(128).default(''),
      public_key: hex32,
    }),
  ),
  thresholds: z.strictObject({ root: z.number().int().min(1), approve: z.number().int().min(1) }),
  lists: z.array(ListPlan).min(1).max(256),
});

export type RootPlanFile = z.infer<typeof RootPlanSchema>;

/** Reads a plan. Throws USAGE naming the field. */
export async function loadRootPlan(file: string): Promise<RootPlanFile> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read the plan ${file}`, { field: 'plan', cause });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new HashfedError('USAGE', `${file}: is not JSON`, { field: 'plan', cause });
  }
  const parsed = RootPlanSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || '(top level)';
  throw new HashfedError('USAGE', `${file}: ${field}: ${issue?.message ?? 'is not valid'}`, { field });
}

const PURPOSES = { listed: Purpose.LISTED, 'known-good': Purpose.KNOWN_GOOD, test: Purpose.TEST } as const;

/** The body of version 1. Throws USAGE unless exactly one sequencing key is named, MALFORMED naming the field. */
export function firstRootBody(sha: Sha256, plan: RootPlanFile, nowMs: number): Uint8Array {
  const keys: NamedKey[] = plan.keys.map(({ role, name, public_key }) => ({
    role: role as KeyRole,
    name,
    publicKey: fromHex(public_key),
  }));
  const [sequencing, ...more] = keys.filter(({ role }) => role === 'list');
  if (sequencing === undefined || more.length > 0)
    throw new HashfedError('USAGE', 'the plan names one key of the role "list"', { field: 'keys' });
  return encodeRootBody(sha, {
    publisher: plan.publisher,
    version: 1,
    issuedAtMs: nowMs,
    expiresMs: nowMs + plan.valid_days * 86_400_000,
    contact: plan.contact,
    criteria: { url: plan.criteria.url, sha256: fromHex(plan.criteria.sha256) },
    keys,
    thresholds: plan.thresholds,
    origins: plan.lists.map((list) => ({
      origin: list.origin,
      purpose: PURPOSES[list.purpose],
      sequencingKey: sequencing.publicKey,
      oneKeyLimit: BigInt(list.one_key_limit),
      minSigners: list.min_signers,
      freshnessMaxS: 0,
      maxSilenceS: list.max_silence_s,
      maxSealAgeS: list.max_seal_age_s,
      eraseAfterS: list.erase_after_s,
      backupMaxS: 0,
      autoHold: undefined,
      handOver: undefined,
      succeeds: undefined,
    })),
  });
}
