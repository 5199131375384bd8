import { Regime } from '../../proto/gen/hashfed/v1/enums.js';
import { type Coverage, TelemetryReport, WindowKind } from '../../proto/gen/hashfed/v1/telemetry.js';
import { type BodySigner, equalBytes, fromHex, type Sha256, signDsse } from '../core/index.js';
import type { BuiltReport, RevisionSlot } from '../store/index.js';
import { parseReport } from './check.js';
import { type CountedWindow, foldCounts, isEmpty } from './fold.js';
import { RECEIVED } from './tally.js';
import type { Window } from './window.js';

/** What a report says beside its counts. */
export interface ReportFacts {
  /** `members/{member}`. */
  readonly member: string;
  readonly sdkVersion: string;
  /** SHA-256 of the policy in force, 32 bytes. */
  readonly policySha256: Uint8Array;
  /** What the hoster states; what arrived is counted. */
  readonly coverage: Coverage;
}

export const NO_COVERAGE: Coverage = {
  objectsReceived: 0n,
  objectsReceivedChecked: 0n,
  objectsStored: 0n,
  bytesStored: 0n,
  bytesStoredChecked: 0n,
  uploads: false,
  atRest: false,
};

/** Slot of a report that was not queued yet. */
export type Slot = Pick<RevisionSlot, 'id' | 'sequence' | 'previous' | 'revision'>;

/** The report of a window: pure, from its counters. */
export function makeReport(
  facts: ReportFacts,
  window: Window,
  counted: CountedWindow,
  slot: Slot,
  nowMs: number,
): TelemetryReport {
  const drill = foldCounts(counted, 'drill', window.unit);
  return {
    regime: Regime.OPERATIONS,
    reportId: fromHex(slot.id),
    member: facts.member,
    sequence: BigInt(slot.sequence),
    previousSha256: slot.sequence === 1 ? new Uint8Array() : slot.previous,
    windowKind: window.unit === 'day' ? WindowKind.DAY : WindowKind.HOUR,
    windowStartMs: BigInt(window.startMs),
    revision: slot.revision,
    createdMs: BigInt(nowMs),
    coverage: coverageOf(facts.coverage, counted),
    counts: foldCounts(counted, 'figures', window.unit),
    drill: isEmpty(drill) ? undefined : drill,
    sdkVersion: facts.sdkVersion,
    policySha256: facts.policySha256,
  };
}

function coverageOf(stated: Coverage, { counts }: CountedWindow): Coverage {
  const received = BigInt(counts.get(RECEIVED) ?? 0);
  return {
    ...stated,
    objectsReceived: stated.objectsReceived + received,
    objectsReceivedChecked: stated.objectsReceivedChecked + received,
    uploads: stated.uploads || received > 0n,
  };
}

/**
 * Signs the next revision of a window; undefined where it would say what the revision before said. It is checked as the
 * server will check it, so that nothing is queued that would be refused.
 */
export function buildReport(
  { signer, sha256, facts }: { signer: BodySigner; sha256: Sha256; facts: ReportFacts },
  window: Window,
  counted: CountedWindow,
  slot: RevisionSlot,
  nowMs: number,
): BuiltReport | undefined {
  const report = makeReport(facts, window, counted, slot, nowMs);
  const basis = basisOf(sha256, report);
  if (slot.lastBasis !== undefined && equalBytes(slot.lastBasis, basis)) return undefined;
  const body = TelemetryReport.encode(report).finish();
  parseReport(body);
  return { bytes: signDsse('telemetry', body, [signer]), digest: sha256.digest(body), basis };
}

/** Digest of everything but what numbers the report: equal exactly where two revisions say the same. */
export function basisOf(sha256: Sha256, report: TelemetryReport): Uint8Array {
  const none = new Uint8Array();
  const bare = { ...report, reportId: none, sequence: 0n, previousSha256: none, revision: 0, createdMs: 0n };
  return sha256.digest(TelemetryReport.encode(bare).finish());
}
