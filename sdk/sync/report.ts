import { SyncState, StaleCause as WireCause } from '../../proto/gen/hashfed/v1/enums.js';
import type { ListSyncState } from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { HashfedError, type StaleCause } from '../core/index.js';
import { callUnary } from '../rpc/index.js';
import { TelemetryServiceService } from '../rpc/services/telemetry.js';
import { currencyOf } from './currency.js';
import type { Source, SyncDeps } from './deps.js';
import { CALL_MS } from './limits.js';
import type { ListReplica } from './replica.js';
import type { RootBook } from './root-book.js';

const STATES = { FRESH: SyncState.FRESH, STALE: SyncState.STALE, EXPIRED: SyncState.EXPIRED } as const;
const CAUSES: Readonly<Record<StaleCause, WireCause>> = {
  ROOT_EXPIRED: WireCause.ROOT_EXPIRED,
  EXPIRED: WireCause.FRESHNESS,
  CLOCK: WireCause.CLOCK,
  WITHHELD: WireCause.WITHHELD,
  FRESHNESS: WireCause.FRESHNESS,
  SILENCE: WireCause.SILENCE,
  SEAL_AGE: WireCause.SEAL_AGE,
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
  return replicas.map((replica) => ({
    origin: replica.origin.text,
    size: BigInt(replica.size),
    root: replica.root,
    freshnessMs: BigInt(replica.held?.freshness?.statement?.issuedAtMs ?? 0),
    appliedMs: BigInt(replica.appliedMs ?? 0),
    rootVersion: BigInt(replica.publisherRoot?.version ?? replica.held?.rootVersion ?? 0),
    ...stateOf(deps, book, replica),
  }));
}

function stateOf(
  deps: SyncDeps,
  book: RootBook,
  replica: ListReplica,
): Pick<ListSyncState, 'state' | 'cause'> {
  if (replica.held === undefined) return { state: SyncState.EMPTY, cause: WireCause.UNSPECIFIED };
  try {
    const { state, causes } = currencyOf(deps, book, replica);
    const [worst] = causes;
    return { state: STATES[state], cause: worst === undefined ? WireCause.UNSPECIFIED : CAUSES[worst] };
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    return { state: SyncState.STALE, cause: WireCause.FRESHNESS };
  }
}

/**
 * Tells one server what was applied: withdrawals are measured by it, and split views show. Answers after how many
 * seconds to report again at the latest.
 */
export async function reportSyncState(
  deps: SyncDeps,
  book: RootBook,
  replicas: readonly ListReplica[],
  source: Source,
  { sdkVersion, instanceId, leaving, signal }: ReportOptions,
): Promise<number> {
  const states = syncStates(deps, book, replicas);
  const request = { states, sdkVersion, instanceId, leaving: leaving ?? false };
  const limits = { deadlineMs: CALL_MS, signal };
  return (await callUnary(source.channel, TelemetryServiceService.reportSyncState, request, limits))
    .reportWithinS;
}
