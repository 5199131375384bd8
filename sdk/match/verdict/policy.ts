import { z } from 'zod';
import { HashfedError } from '../../core/index.js';

/** Longest a policy may look back, hours: ten years. */
const MAX_HOURS = 87_660;
/** Entries of each list in a policy: it is read by people, and walked for every match. */
const MAX_ITEMS = 10_000;
/** PDQ values of one object, at most, and the symmetries of the square: what is kept and searched for each. */
const MAX_PDQ_VALUES = 64;
const DIHEDRALS = 8;

const hours = z.number().min(0).max(MAX_HOURS);
const days = z
  .number()
  .min(0)
  .max(MAX_HOURS / 24);
const byte = z.number().int().min(1).max(255);
const domain = z.string().min(1).max(64);

/** A scheme, or some of its codes. */
const classification = z.strictObject({ scheme: byte, codes: z.array(byte).min(1).max(255).optional() });

/**
 * What the object must share with an item: a hash of this type, or both of a pair. Perceptual types only within
 * the policy's `perceptual` bounds.
 */
export const EVIDENCE = ['sha256', 'md5+sha1', 'sha1', 'md5', 'pdq', 'photodna'] as const;

const rule = z.strictObject({
  name: z.string().min(1).max(64),
  action: z.enum(['block', 'hold', 'allow']),
  /** Any of these is enough; absent: any match. */
  evidence: z.array(z.enum(EVIDENCE)).min(1).max(EVIDENCE.length).optional(),
  /** Either is enough; absent: no confirmation needed. */
  confirmed_by: z
    .strictObject({
      /** Other analysts who agreed, at least. */
      verifications: z.number().int().min(1).max(255).optional(),
      /** Publishers that list it, at least, each with an assessment of its own. */
      publishers: z.number().int().min(2).max(64).optional(),
    })
    .refine((c) => c.verifications !== undefined || c.publishers !== undefined, 'names neither condition')
    .optional(),
  /** Only these classifications. */
  classifications: z.array(classification).min(1).max(MAX_ITEMS).optional(),
  /** Only these publishers. */
  publishers: z.array(domain).min(1).max(MAX_ITEMS).optional(),
  /** Perceptual evidence only up to this distance. */
  max_distance: z.number().min(0).optional(),
});

const DEFAULT_RULES: z.infer<typeof rule>[] = [
  {
    name: 'confirmed exact match',
    action: 'block',
    evidence: ['sha256', 'md5+sha1'],
    confirmed_by: { verifications: 1, publishers: 2 },
  },
];

const waits = z.strictObject({ probation_hours: hours.optional(), observe_hours: hours.optional() });

/** Policy is data. Every field has a default: `{}` is the policy of a careful beginner. */
export const PolicySchema = z.strictObject({
  format: z.literal(1).default(1),
  /** In order; the first that applies to an item decides. */
  rules: z.array(rule).max(256).default(DEFAULT_RULES),
  /** What a match that no rule covers yields. */
  otherwise: z.enum(['hold', 'allow']).default('hold'),
  /** New entries yield at most `hold` for so long. */
  probation_hours: hours.default(24),
  /** A list only counts for so long after its first sync. */
  observe_hours: hours.default(24),
  /** Other waits by origin, `domain/collection`, or domain; the most exact name wins. */
  lists: z.record(z.string().min(1).max(128), waits).default({}),
  known_good: z
    .strictObject({
      /** A known-good sha256 turns `block` into `hold`. */
      veto: z.boolean().default(true),
      /** And unconfirmed entries of a single publisher into `allow`. */
      allow_unconfirmed: z.boolean().default(true),
    })
    .prefault({}),
  breaker: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Fewer distinct uploaders than this never trip it. */
      min_uploaders: z.number().int().min(2).max(1_000_000).default(20),
      /** How many times the item's usual number trips it. */
      factor: z.number().min(2).max(1_000).default(10),
    })
    .prefault({}),
  staleness: z
    .strictObject({
      /** So long after the last FRESH moment `block` needs a verification or two publishers. */
      confirm_after_hours: hours.default(24),
      /** And so long after it everything is `hold`. */
      hold_after_hours: hours.default(168),
    })
    .prefault({}),
  perceptual: z
    .strictObject({
      /** Hamming distance and quality of the object's own hash. */
      pdq_max_distance: z.number().int().min(0).max(63).default(31),
      pdq_min_quality: z.number().int().min(0).max(100).default(50),
      /** Frames of an animation that are hashed, spread evenly; absent: the first. */
      pdq_frames: z.number().int().min(1).max(MAX_PDQ_VALUES).optional(),
      /** Also find turned and mirrored copies: eight values a frame, eight searches. */
      pdq_dihedral: z.boolean().optional(),
      /** In the comparator's own unit; absent: what the comparator calls a match. */
      photodna_max_distance: z.number().min(0).optional(),
    })
    .refine((p) => p.pdq_dihedral !== true || (p.pdq_frames ?? 1) * DIHEDRALS <= MAX_PDQ_VALUES, {
      message: `must be at most ${MAX_PDQ_VALUES / DIHEDRALS} where pdq_dihedral is set`,
      path: ['pdq_frames'],
    })
    .prefault({}),
  /** How long what was quarantined is kept. The law of the place sets these; the defaults are careful ones. */
  retention: z
    .strictObject({
      /** Blocked and handed-over objects must not be deleted earlier. */
      preserve_days: days.default(365),
      /** Blocked and handed-over objects end after this; absent: never by themselves. */
      delete_after_days: days.optional(),
      /** The journal's record of what was released is closed after this. */
      forget_released_after_days: days.default(90),
      /** Held objects that wait longer for a decision are reported. */
      decide_within_days: days.default(14),
    })
    .refine(
      (r) => r.delete_after_days === undefined || r.delete_after_days >= r.preserve_days,
      'delete_after_days must not be below preserve_days',
    )
    .prefault({}),
  /** Entries that are let pass here, whatever the rules say. */
  suppress: z
    .strictObject({
      items: z
        .array(z.string().regex(/^[0-9a-f]{32}$/))
        .max(MAX_ITEMS)
        .default([]),
      publishers: z.array(domain).max(MAX_ITEMS).default([]),
      classifications: z.array(classification).max(MAX_ITEMS).default([]),
    })
    .prefault({}),
});

export type Policy = z.infer<typeof PolicySchema>;
export type Rule = z.infer<typeof rule>;
export type Evidence = (typeof EVIDENCE)[number];

/** Checks a policy and fills in the defaults. Throws `USAGE` naming the first field that is wrong. */
export function parsePolicy(data: unknown = {}): Policy {
  const parsed = PolicySchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = `policy.${issue?.path.join('.') ?? ''}`.replace(/\.$/, '');
  throw new HashfedError('USAGE', `${field}: ${issue?.message ?? 'is not a policy'}`, { field });
}

export const DEFAULT_POLICY: Policy = parsePolicy({});

/** One text for one policy: fields in the schema's order, defaults filled in. For digests and comparison. */
export function policyText(policy: Policy): string {
  return JSON.stringify(PolicySchema.parse(policy));
}
