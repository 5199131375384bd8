import type { Mutation } from './mutation.js';
import { SYNC_CHECKS } from './sync-checks.js';
import { TRUST_CHECKS } from './trust-checks.js';

/**
 * The checks that the attacks run into. `replace` stands for the expression `find` while the mutation is on; `find` is
 * looked for behind `after` where it stands more than once. `test/support/run/mutate.mjs` demands that every case
 * fails once its check is taken out: a test that cannot fail proves nothing. A check that is made twice, by two layers,
 * is one mutation with two places.
 */
export const MUTATIONS = { ...TRUST_CHECKS, ...SYNC_CHECKS };

export type MutationName = keyof typeof MUTATIONS;

/** Every place of every mutation. */
export function everyMutation(): [string, Mutation][] {
  return Object.entries<Mutation | readonly Mutation[]>(MUTATIONS).flatMap(([name, places]) =>
    (Array.isArray(places) ? places : [places]).map((one): [string, Mutation] => [name, one]),
  );
}
