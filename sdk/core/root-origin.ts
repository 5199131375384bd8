/** Per-origin settings of a root, with their bounds and defaults. A duration of 0 stands for the default. */
import { Purpose } from '../../proto/gen/hashfed/v1/enums.js';
import type { OriginPolicy } from '../../proto/gen/hashfed/v1/root.js';
import { toHex } from './bytes.js';
import {
  checkAscending,
  checkBytes,
  checkCount,
  checkEnum,
  checkU32,
  checkU53,
  compareText,
} from './check.js';
import { malformed } from './errors.js';
import { MAX_ROOT_ORIGINS } from './limits-trust.js';
import type { Origin } from './origin.js';
import { parseOrigin } from './origin.js';
import type { AutoHold, OriginSettings, PublisherRoot, PurposeName, RootKey, TreeState } from './root.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const PURPOSES: Readonly<Record<number, PurposeName>> = {
  [Purpose.LISTED]: 'listed',
  [Purpose.KNOWN_GOOD]: 'known-good',
  [Purpose.TEST]: 'test',
  [Purpose.EVENTS]: 'events',
};

type Roles = PublisherRoot['roles'];

/** A list is an origin without its generation. */
export function listOf({ domain, collection, type }: Origin): string {
  return `${domain}/${collection}/${type}`;
}

/** Ascending by origin as bytes; one generation of each list. */
export function parseOriginPolicies(
  policies: readonly OriginPolicy[],
  roles: Roles,
): PublisherRoot['origins'] {
  checkCount(policies, 'origins', 1, MAX_ROOT_ORIGINS);
  checkAscending(policies, 'origins', (a, b) => compareText(a.origin, b.origin));
  const settings = policies.map((policy, i) => parsePolicy(policy, roles, `origins[${i}]`));
  if (new Set(settings.map((one) => listOf(one.origin))).size < settings.length) {
    malformed('origins', 'names two generations of one list');
  }
  const taken = new Set(settings.map((one) => one.origin.text));
  if (roles.approve.keys.some((key) => taken.has(key.name)))
    malformed('keys', 'an approve key is named as an origin');
  return new Map(settings.map((one) => [one.origin.text, one]));
}

function parsePolicy(policy: OriginPolicy, roles: Roles, field: string): OriginSettings {
  const origin = parseOrigin(policy.origin);
  const purpose = checkEnum(PURPOSES, policy.purpose, `${field}.purpose`);
  if ((purpose === 'events') !== (origin.type === 'events'))
    malformed(`${field}.purpose`, 'does not fit the type');
  const limit = checkU53(policy.oneKeyLimit, `${field}.one_key_limit`);
  return {
    origin,
    purpose,
    sequencingKey: findKey(roles.list.keys, policy.sequencingKey, `${field}.sequencing_key`),
    oneKeyLimit: limit === 0 ? undefined : limit,
    minSigners: checkU32(policy.minSigners, `${field}.min_signers`, 1, 2) as 1 | 2,
    ...parseDurations(policy, field, roles.live.keys.length > 0),
    autoHold: parseAutoHold(policy.autoHold, `${field}.auto_hold`),
    handOver: policy.handOver && parseState(policy.handOver.size, policy.handOver.root, `${field}.hand_over`),
    succeeds: parseSucceeds(policy.succeeds, origin, `${field}.succeeds`),
  };
}

function findKey(keys: readonly RootKey[], bytes: Uint8Array, field: string): RootKey {
  return keys.find((one) => toHex(one.key) === toHex(bytes)) ?? malformed(field, 'is not in the list role');
}

type Durations = Pick<
  OriginSettings,
  'freshnessMaxMs' | 'maxSilenceMs' | 'maxSealAgeMs' | 'eraseAfterMs' | 'backupMaxMs'
>;

/** Without a live key the newest SEAL stands for liveness: silence is measured in days then, 8 by default. */
function parseDurations(policy: OriginPolicy, field: string, hasLive: boolean): Durations {
  const ms = (seconds: number, name: string, min: number, max: number, fallback: number): number =>
    checkU32(seconds, `${field}.${name}`, min, max, fallback) * 1000;
  const [least, silence] = hasLive ? [HOUR, 26 * HOUR] : [DAY, 8 * DAY];
  return {
    freshnessMaxMs: ms(policy.freshnessMaxS, 'freshness_max_s', MINUTE, 6 * HOUR, 6 * HOUR),
    maxSilenceMs: ms(policy.maxSilenceS, 'max_silence_s', least, 8 * DAY, silence),
    maxSealAgeMs: ms(policy.maxSealAgeS, 'max_seal_age_s', HOUR, 35 * DAY, 35 * DAY),
    eraseAfterMs: ms(policy.eraseAfterS, 'erase_after_s', 1, 180 * DAY, 30 * DAY),
    backupMaxMs: ms(policy.backupMaxS, 'backup_max_s', 1, 35 * DAY, 35 * DAY),
  };
}

function parseAutoHold(hold: OriginPolicy['autoHold'], field: string): AutoHold | undefined {
  if (hold === undefined) return undefined;
  return {
    band: checkU32(hold.band, `${field}.band`, 2, 4),
    hosters: checkU32(hold.hosters, `${field}.hosters`, 1, 100, 2),
    durationMs: checkU32(hold.durationS, `${field}.duration_s`, 1, 72 * HOUR) * 1000,
  };
}

export function parseState(size: bigint, root: Uint8Array, field: string): TreeState {
  return { size: checkU53(size, `${field}.size`), root: checkBytes(root, `${field}.root`, 32) };
}

/** Absent exactly in g1; otherwise it names the generation before of the same list. */
function parseSucceeds(
  one: OriginPolicy['succeeds'],
  origin: Origin,
  field: string,
): OriginSettings['succeeds'] {
  if ((one === undefined) !== (origin.generation === 1))
    malformed(field, 'is for every generation but the first');
  if (one === undefined) return undefined;
  const before = parseOrigin(one.origin);
  if (listOf(before) !== listOf(origin) || before.generation !== origin.generation - 1) {
    malformed(field, 'is not the generation before');
  }
  return { origin: before, ...parseState(one.size, one.root, field) };
}
