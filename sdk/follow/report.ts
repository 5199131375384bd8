import { StaleCause, SyncState } from '../../proto/gen/hashfed/v1/enums.js';
import type { ListSyncState } from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { TelemetryServiceService } from '../../proto/gen/hashfed/v1/telemetry_service.js';
import type { StaleCause as Cause } from '../core/index.js';
import { callUnary } from '../rpc/index.js';
import { currencyOf } from './currency.js';
import type { Source, SyncDeps } from './deps.js';
import { UNARY_MS } from './limits.js';
import type { ListReplica } from './replica.js';
import type { RootBook } from './root-book.js';

const STATES = { FRESH: SyncState.FRESH, STALE: SyncState.STALE, EXPIRED: SyncState.EXPIRED } as const;
const CAUSES: Record<Cause, StaleCause> = {
  ROOT_EXPIRED: StaleCause.ROOT_EXPIRED,
  EXPIRED: StaleCause.FRESHNESS,
  CLOCK: StaleCause.CLOCK,
  WITHHELD: StaleCause.WITHHELD,
  FRESHNESS: StaleCause.FRESHNESS,
  SILENCE: StaleCause.SILENCE,
  SEAL_AGE: StaleCause.SEAL_AGE,
};

export interface ReportOptions {
  readonly sdkVersion: string;
  /** 16 random bytes, the same for ever on this installation. */
  readonly instanceId: Uint8Array;
  readonly leaving?: boolean;
  readonly signal?: AbortSignal;
}

/** What this installation holds of each list, as the monitor may read it. */
export function syncStates(
  deps: SyncDeps,
  book: RootBook,
  replicas: readonly ListReplica[],
): ListSyncState[] {
  return replicas.map((replica) => {
    const origin = replica.origin.text;
    const { size, root, extra } = replica;
    const base = {
      origin,
      size: BigInt(size),
      root,
      appliedMs: BigInt(extra.committedMs),
      rootVersion: BigInt(extra.rootVersion),
    };
    if (size === 0)
      return { ...base, freshnessMs: 0n, state: SyncState.EMPTY, cause: StaleCause.UNSPECIFIED };
    const { state, causes } = currencyOf(deps, book, replica);
    const cause = causes[0] === undefined ? StaleCause.UNSPECIFIED : CAUSES[causes[0]];
    return {
      ...base,
      freshnessMs: BigInt(replica.freshness?.statement.issuedAtMs ?? 0),
      state: STATES[state],
      cause,
    };
  });
}

/** Tells one server what was applied: this is how withdrawals are measured and split views found. */
export async function reportSyncState(
  deps: SyncDeps,
  book: RootBook,
  replicas: readonly ListReplica[],
  source: Source,
  { sdkVersion, instanceId, leaving, signal }: ReportOptions,
): Promise<number> {
  const request = {
    states: syncStates(deps, book, replicas),
    sdkVersion,
    instanceId,
    leaving: leaving ?? false,
  };
  const limits = { deadlineMs: UNARY_MS, ...(signal && { signal }) };
  return (await callUnary(source.channel, TelemetryServiceService.reportSyncState, request, limits))
    .reportWithinS;
}
