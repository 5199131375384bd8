import { type OriginSettings, type PublisherRoot, toHex } from '../../../sdk/core/index.js';
import { sixWords } from '../review/index.js';
import { namedKeys } from './next-root.js';
import { type RootProposal, signedBy } from './proposal.js';

const DATE_LENGTH = 10;

/** What a holder of a root key reads before signing: every difference between the two versions. */
export function proposalSheet(proposal: RootProposal): string[] {
  const { current, next } = proposal;
  const { old, next: fresh } = signedBy(proposal);
  return [
    `${next.publisher}: root version ${next.version} after ${current.version}, expires ${dateOf(next.expiresMs)}`,
    ...keyLines(current, next),
    ...thresholdLines(current, next),
    ...originLines(current, next),
    ...formerLines(current, next),
    `Signatures: ${old.have} of ${old.need} old root keys, ${fresh.have} of ${fresh.need} new ones`,
    `SHA-256: ${toHex(next.sha256)}`,
    `Code: ${proposalCode(proposal)}`,
  ];
}

/** Six words over the new root, the same on every holder's sheet. */
export const proposalCode = ({ next }: RootProposal): string => sixWords(next.sha256);

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, DATE_LENGTH);

function keyLines(current: PublisherRoot, next: PublisherRoot): string[] {
  const [before, after] = [current, next].map((root) =>
    namedKeys(root).map(({ role, name, publicKey }) => `${role} ${toHex(publicKey)}${name && ` (${name})`}`),
  ) as [string[], string[]];
  return [
    ...before.filter((key) => !after.includes(key)).map((key) => `  key leaves: ${key}`),
    ...after.filter((key) => !before.includes(key)).map((key) => `  key joins:  ${key}`),
  ];
}

function thresholdLines(current: PublisherRoot, next: PublisherRoot): string[] {
  return (['root', 'approve'] as const).flatMap((role) => {
    const [from, to] = [current.roles[role].threshold, next.roles[role].threshold];
    return from === to ? [] : [`  ${role} keys needed: ${to} instead of ${from}`];
  });
}

function originLines(current: PublisherRoot, next: PublisherRoot): string[] {
  const added = [...next.origins.values()].filter(({ origin }) => !current.origins.has(origin.text));
  const closed = [...current.origins.keys()].filter((origin) => !next.origins.has(origin));
  const rules = [...next.origins.values()].flatMap((settings) => ruleLines(current, settings));
  const handed = [...next.origins.values()].filter(({ origin, sequencingKey }) => {
    const before = current.origins.get(origin.text);
    return before !== undefined && toHex(before.sequencingKey.key) !== toHex(sequencingKey.key);
  });
  return [
    ...rules,
    ...closed.map((origin) => `  ends:   ${origin}`),
    ...added.map(({ origin, succeeds }) =>
      succeeds === undefined
        ? `  begins: ${origin.text}`
        : `  begins: ${origin.text}, after size ${succeeds.size} of ${succeeds.origin.text}`,
    ),
    ...handed.map(({ origin, handOver }) => `  handed over: ${origin.text} at size ${handOver?.size ?? 0}`),
  ];
}

const RULES = {
  oneKeyLimit: 'changes by one key at most',
  minSigners: 'keys needed',
  freshnessMaxMs: 'freshness holds, ms',
  maxSilenceMs: 'silence at most, ms',
  maxSealAgeMs: 'age of a seal at most, ms',
  eraseAfterMs: 'erased after, ms',
  backupMaxMs: 'kept in backups, ms',
} as const;

function ruleLines(current: PublisherRoot, settings: OriginSettings): string[] {
  const before = current.origins.get(settings.origin.text);
  if (before === undefined) return [];
  return (Object.keys(RULES) as (keyof typeof RULES)[]).flatMap((rule) =>
    before[rule] === settings[rule]
      ? []
      : [
          `  ${settings.origin.text}: ${RULES[rule]} ${settings[rule] ?? 'general'} instead of ${before[rule] ?? 'general'}`,
        ],
  );
}

function formerLines(current: PublisherRoot, next: PublisherRoot): string[] {
  const revokedBefore = new Set(current.former.filter((one) => one.revoked).map(({ key }) => toHex(key.key)));
  const revoked = next.former.filter(({ key, revoked: is }) => is && !revokedBefore.has(toHex(key.key)));
  return [...new Set(revoked.map(({ key, role }) => `  revoked: ${role} ${toHex(key.key)}`))];
}
