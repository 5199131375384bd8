import { SyncState, StaleCause as WireCause } from '../../proto/gen/hashfed/v1/enums.js';
import type { ListSyncState } from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { HashfedError, type StaleCause } from '../core/index.js';
import type { ListReplica } from './replica.js';
import type { Source, StandingState } from './types.js';

const STATES: Readonly<Record<StandingState, SyncState>> = {
  EMPTY: SyncState.EMPTY,
  FRESH: SyncState.FRESH,
  STALE: SyncState.STALE,
  EXPIRED: SyncState.EXPIRED,
};

const CAUSES: Readonly<Record<StaleCause, WireCause>> = {
  ROOT_EXPIRED: WireCause.ROOT_EXPIRED,
  EXPIRED: WireCause.FRESHNESS,
  CLOCK: WireCause.CLOCK,
  WITHHELD: WireCause.WITHHELD,
  FRESHNESS: WireCause.FRESHNESS,
  SILENCE: WireCause.SILENCE,
  SEAL_AGE: WireCause.SEAL_AGE,
};

/** This installation, as servers tell a member's several ones apart. */
export interface Installation {
  /** 16 random bytes, kept. */
  readonly instanceId: Uint8Array;
  readonly sdkVersion: string;
}

/**
 * Tells sources what was applied, until one takes it: withdrawals are measured by it, and split views show. Answers
 * after how many seconds to report again. Throws what the last source failed with.
 */
export async function reportSyncState(
  sources: readonly Source[],
  replicas: Iterable<ListReplica>,
  { instanceId, sdkVersion }: Installation,
  options: { signal?: AbortSignal | undefined; leaving?: boolean } = {},
): Promise<number> {
  const states = [...replicas].map(stateOf);
  let failure: unknown = new HashfedError('USAGE', 'there is no source to report to');
  for (const source of sources) {
    try {
      const leaving = options.leaving ?? false;
      return await source.report({ states, sdkVersion, instanceId, leaving }, options.signal);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function stateOf(replica: ListReplica): ListSyncState {
  const { held, root } = replica;
  const { state, causes } = replica.standing();
  const cause = causes[0];
  return {
    origin: replica.origin.text,
    size: BigInt(replica.size),
    root: held?.checkpoint.root ?? new Uint8Array(),
    freshnessMs: BigInt(held?.freshness?.statement?.issuedAtMs ?? 0),
    appliedMs: BigInt(replica.appliedMs ?? 0),
    state: STATES[state],
    cause: cause === undefined ? WireCause.UNSPECIFIED : CAUSES[cause],
    rootVersion: BigInt(root?.version ?? held?.rootVersion ?? 0),
  };
}
