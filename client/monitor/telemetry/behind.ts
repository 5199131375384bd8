import { SyncState } from '../../../proto/gen/hashfed/v1/enums.js';
import type { SyncStateRecord } from '../../../proto/gen/hashfed/v1/telemetry_exchange.js';

/** One installation's state of one list, against the newest size that is known. */
export interface ListPosition {
  readonly hoster: string;
  /** Which of its installations, 32 hexadecimal digits. */
  readonly instance: string;
  readonly list: string;
  readonly size: number;
  readonly newest: number;
  readonly behind: boolean;
  readonly state: string;
  readonly reported_ms: number;
  readonly applied_ms: number;
}

const STATES = new Map<number, string>(Object.entries(SyncState).map(([name, value]) => [value, name]));

/** Positions of all installations that have not left, by (hoster, list, instance): pure. */
export function positionsOf(
  records: readonly SyncStateRecord[],
  newest: ReadonlyMap<string, number>,
): ListPosition[] {
  const known = new Map(newest);
  for (const { state } of records)
    if (state !== undefined)
      known.set(state.origin, Math.max(known.get(state.origin) ?? 0, Number(state.size)));
  return records
    .flatMap(({ left, state, ...record }) =>
      left || state === undefined ? [] : [positionOf({ ...record, left, state }, state, known)],
    )
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function positionOf(
  { member, instanceId, receivedMs }: SyncStateRecord,
  state: NonNullable<SyncStateRecord['state']>,
  newest: ReadonlyMap<string, number>,
): ListPosition {
  const size = Number(state.size);
  const most = newest.get(state.origin) ?? size;
  return {
    hoster: member,
    instance: Buffer.from(instanceId).toString('hex'),
    list: state.origin,
    size,
    newest: most,
    behind: size < most,
    state: STATES.get(state.state) ?? String(state.state),
    reported_ms: Number(receivedMs),
    applied_ms: Number(state.appliedMs),
  };
}

const keyOf = ({ hoster, list, instance }: ListPosition): string => `${hoster} ${list} ${instance}`;
