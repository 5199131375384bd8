import { SignatureAlgorithm } from '../../../proto/gen/hashfed/v1/enums.js';
import {
  type FormerKey as FormerMessage,
  type OriginPolicy,
  PublisherRoot as RootMessage,
  RootRole,
} from '../../../proto/gen/hashfed/v1/root.js';
import {
  compareBytes,
  HashfedError,
  type Origin,
  type PublisherRoot,
  parseOrigin,
  type Sha256,
  type TreeState,
  toHex,
  utf8,
} from '../../../sdk/core/index.js';
import { encodeRootBody, type KeyRole, type NamedKey } from '../keys/index.js';

const DAY_MS = 86_400_000;
const ROLES = ['root', 'list', 'approve', 'live', 'freshness'] as const;
const FORMER_ROLES = {
  list: RootRole.LIST,
  approve: RootRole.APPROVE,
  live: RootRole.LIVE,
  freshness: RootRole.FRESHNESS,
} as const;

/** What the next version of a root changes. */
export interface RootChange {
  readonly nowMs: number;
  /** Days from now until the version expires. */
  readonly validDays: number;
  readonly add: readonly NamedKey[];
  /** Public keys that leave; keys that left before may be named with `revoked`. */
  readonly remove: readonly Uint8Array[];
  /** The keys of `remove` are in other hands, or may be. */
  readonly revoked: boolean;
  readonly thresholds: { readonly root?: number; readonly approve?: number };
  /** By origin: the last state that is ours, signed with two keys; needed where a key other than a root key leaves. */
  readonly lastGood: ReadonlyMap<string, TreeState>;
  /** Rules that change for every list; 0 means the default. */
  readonly rules?: Partial<Record<RootRule, number>>;
  /** Origins whose generation ends with this version; the next one begins empty and `succeeds` the last good state. */
  readonly close: readonly string[];
}

/** Rules of a list that a version may change, by the names of the root's fields. */
export const ROOT_RULES = {
  one_key_limit: 'oneKeyLimit',
  min_signers: 'minSigners',
  freshness_max_s: 'freshnessMaxS',
  max_silence_s: 'maxSilenceS',
  max_seal_age_s: 'maxSealAgeS',
  erase_after_s: 'eraseAfterS',
  backup_max_s: 'backupMaxS',
} as const;
export type RootRule = keyof typeof ROOT_RULES;

const usage = (message: string, field: string): never => {
  throw new HashfedError('USAGE', message, { field });
};

/** Today's keys of a root, by role. */
export function namedKeys(root: PublisherRoot): NamedKey[] {
  return ROLES.flatMap((role) =>
    root.roles[role].keys.map(({ key, name }) => ({ role: role as KeyRole, name, publicKey: key })),
  );
}

/**
 * The body of the version after `current`, unsigned. Throws USAGE for a change that makes no sense, MALFORMED where
 * no verifier would take the result.
 */
export function nextRootBody(sha: Sha256, current: PublisherRoot, change: RootChange): Uint8Array {
  const old = RootMessage.decode(current.body);
  const keys = namedKeys(current);
  const gone = leaving(current, keys, change);
  checkAdded(current, keys, change.add);
  const replacement = newSequencingKey(change.add);
  return encodeRootBody(sha, {
    publisher: current.publisher,
    version: current.version + 1,
    issuedAtMs: Math.max(change.nowMs, current.issuedAtMs),
    expiresMs: change.nowMs + change.validDays * DAY_MS,
    contact: old.contact!,
    criteria: old.criteria!,
    keys: [...keys.filter((key) => !gone.includes(key)), ...change.add],
    thresholds: {
      root: change.thresholds.root ?? current.roles.root.threshold,
      approve: change.thresholds.approve ?? current.roles.approve.threshold,
    },
    origins: old.origins
      .map((policy) => withRules(policy, change))
      .map((policy) => nextPolicy(policy, gone, replacement, change)),
    former: nextFormer(old, current, gone, change),
    previousSha256: current.sha256,
  });
}

function leaving(current: PublisherRoot, keys: readonly NamedKey[], change: RootChange): NamedKey[] {
  return change.remove.flatMap((wanted) => {
    const named = keys.find(({ publicKey }) => toHex(publicKey) === toHex(wanted));
    if (named !== undefined) return [named];
    const left = current.former.some(({ key }) => toHex(key.key) === toHex(wanted));
    return left && change.revoked ? [] : usage(`the root does not name the key ${toHex(wanted)}`, 'remove');
  });
}

function checkAdded(current: PublisherRoot, keys: readonly NamedKey[], add: readonly NamedKey[]): void {
  const known = new Set([...keys, ...current.former.map(({ key }) => ({ publicKey: key.key }))].map(idOf));
  for (const key of add)
    if (known.has(idOf(key))) usage(`the key ${idOf(key)} is in the root, or left it before`, 'add');
}

const idOf = ({ publicKey }: Pick<NamedKey, 'publicKey'>): string => toHex(publicKey);

function newSequencingKey(add: readonly NamedKey[]): NamedKey | undefined {
  const list = add.filter(({ role }) => role === 'list');
  return list.length > 1 ? usage('one version adds at most one sequencing key', 'add') : list[0];
}

function withRules(policy: OriginPolicy, { rules = {} }: RootChange): OriginPolicy {
  const changed = Object.entries(rules).map(([rule, value]) => {
    const field = ROOT_RULES[rule as RootRule];
    return [field, field === 'oneKeyLimit' ? BigInt(value) : value] as const;
  });
  return { ...policy, ...Object.fromEntries(changed) };
}

function nextPolicy(
  policy: OriginPolicy,
  gone: readonly NamedKey[],
  replacement: NamedKey | undefined,
  change: RootChange,
): OriginPolicy {
  const leaves = gone.some(({ publicKey }) => toHex(publicKey) === toHex(policy.sequencingKey));
  if (leaves && replacement === undefined)
    usage(`${policy.origin} loses its sequencing key: add a list key in the same version`, 'add');
  const sequencingKey = leaves ? replacement!.publicKey : policy.sequencingKey;
  if (change.close.includes(policy.origin)) return nextGeneration(policy, sequencingKey, change);
  if (!leaves) return policy;
  return { ...policy, sequencingKey, handOver: message(stateOf(change, policy.origin)) };
}

function nextGeneration(policy: OriginPolicy, sequencingKey: Uint8Array, change: RootChange): OriginPolicy {
  return {
    ...policy,
    origin: generationAfter(parseOrigin(policy.origin)),
    sequencingKey,
    handOver: undefined,
    succeeds: { origin: policy.origin, ...message(stateOf(change, policy.origin)) },
  };
}

/** The origin of the generation that follows. */
export function generationAfter({ domain, collection, type, generation }: Origin): string {
  return `${domain}/${collection}/${type}/g${generation + 1}`;
}

const message = ({ size, root }: TreeState) => ({ size: BigInt(size), root });

function stateOf({ lastGood }: RootChange, origin: string): TreeState {
  return lastGood.get(origin) ?? usage(`no last good state of ${origin}`, 'last_good');
}

/** What stood there stays; a key that leaves gets an entry for each list it signed for. */
function nextFormer(
  old: RootMessage,
  current: PublisherRoot,
  gone: readonly NamedKey[],
  change: RootChange,
): FormerMessage[] {
  const named = new Set(change.remove.map(toHex));
  const kept = old.former.map((one) => {
    const revoked = one.revoked || (change.revoked && named.has(toHex(one.key!.key)));
    return { ...one, revoked };
  });
  const fresh = gone.flatMap((key) => formerOf(current, key, change));
  return [...kept, ...fresh].sort(
    (a, b) => compareBytes(utf8(a.origin), utf8(b.origin)) || compareBytes(a.key!.key, b.key!.key),
  );
}

function formerOf(current: PublisherRoot, key: NamedKey, change: RootChange): FormerMessage[] {
  if (key.role === 'root') return [];
  const role = FORMER_ROLES[key.role as keyof typeof FORMER_ROLES];
  const origins = [...current.origins.values()].filter(
    ({ sequencingKey }) => key.role !== 'list' || toHex(sequencingKey.key) === idOf(key),
  );
  return origins.map(({ origin }) => {
    const { size, root } = message(stateOf(change, origin.text));
    const publicKey = { algorithm: SignatureAlgorithm.ED25519, key: key.publicKey, name: key.name };
    return {
      origin: origin.text,
      key: publicKey,
      role,
      lastGoodSize: size,
      lastGoodRoot: root,
      revoked: change.revoked,
    };
  });
}
