import { equalBytes } from '../../../sdk/core/index.js';
import type { VerifiedReport } from './read.js';

/** What the sequence numbers and digests of a hoster's reports say about reports that are not there, or not the same. */
export interface ChainFlag {
  readonly hoster: string;
  /** `gap`: numbers between are missing; `broken`: it names another report before it; `repeated`: two reports have it. */
  readonly flag: 'gap' | 'broken' | 'repeated';
  readonly sequence: number;
}

/**
 * Judges what was read of each hoster: pure, in any order. A gap is only told where neighbours on both sides were read,
 * so that a part of a chain is judged as far as it goes; it needs all revisions.
 */
export function checkChains(reports: readonly VerifiedReport[]): ChainFlag[] {
  const members = new Map<string, VerifiedReport[]>();
  for (const one of reports) {
    const chain = members.get(one.report.member) ?? [];
    chain.push(one);
    members.set(one.report.member, chain);
  }
  return [...members]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([hoster, chain]) => flagsOf(hoster, chain));
}

function flagsOf(hoster: string, chain: readonly VerifiedReport[]): ChainFlag[] {
  const ordered = distinctBodies(chain).sort(
    (a, b) => Number(a.report.sequence - b.report.sequence) || Buffer.compare(a.digest, b.digest),
  );
  const flags: ChainFlag[] = [];
  for (let i = 1; i < ordered.length; i++) {
    const [before, one] = [ordered[i - 1]!, ordered[i]!];
    const sequence = Number(one.report.sequence);
    const step = sequence - Number(before.report.sequence);
    if (step === 0) flags.push({ hoster, flag: 'repeated', sequence });
    else if (step > 1) flags.push({ hoster, flag: 'gap', sequence });
    else if (!equalBytes(one.report.previousSha256, before.digest))
      flags.push({ hoster, flag: 'broken', sequence });
  }
  return flags;
}

function distinctBodies(chain: readonly VerifiedReport[]): VerifiedReport[] {
  const bodies = new Map(chain.map((one) => [Buffer.from(one.digest).toString('hex'), one]));
  return [...bodies.values()];
}
