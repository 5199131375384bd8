import { SyncState } from '../../proto/gen/hashfed/v1/enums.js';
import {
  ListSyncState,
  type ReportSyncStateRequest,
  SyncStateRecord,
} from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { equalBytes, HashfedError, MAX_U53, malformed, parseOrigin, toHex } from '../../sdk/core/index.js';
import { END_OF_TIME_MS } from '../../sdk/telemetry/index.js';
import type { Caller } from '../access/index.js';
import type { TelemetryDeps } from './deps.js';
import type { Feed } from './feed.js';

const PREFIX = 'members/';
const MAX_STATES = 256;
const MAX_VERSION_BYTES = 64;
/** Installations of one member that are kept. */
const MAX_INSTANCES = 256;
/** States of one member that are kept, of all its installations: anybody can make up generations of a list. */
const MAX_MEMBER_STATES = 16_384;
/** An installation that was silent for so long counts no more, milliseconds: most were taken down without a word. */
const SILENT_MS = 7 * 86_400_000;
/** A state that says nothing new is written again at most this often, milliseconds. */
const REPEAT_MS = 600_000;

interface Held {
  readonly record: SyncStateRecord;
  readonly origin: string;
}

/**
 * What each installation of each member has applied: in memory, and on disk as `member/instance`. Under the member's own
 * name lies its slowest installation's state, which withdrawals are measured by.
 */
export class SyncStates {
  readonly #deps: TelemetryDeps;
  readonly #feed: Feed;
  /** By `member`, then `origin instance`. */
  readonly #held = new Map<string, Map<string, Held>>();
  /** What each member's last report waits for: its states are counted one report at a time. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #arrival = 0;

  private constructor(deps: TelemetryDeps, feed: Feed) {
    this.#deps = deps;
    this.#feed = feed;
  }

  static async open(deps: TelemetryDeps, feed: Feed): Promise<SyncStates> {
    const states = new SyncStates(deps, feed);
    for (let pageToken = ''; ; ) {
      const page = await deps.storage.syncStates.list({ pageSize: 1000, pageToken });
      for (const { member, origin, bytes } of page.items)
        if (member.includes('/')) states.#keep({ record: SyncStateRecord.decode(bytes), origin });
      pageToken = page.nextPageToken;
      if (pageToken === '') return states;
    }
  }

  /** Takes what one installation says. Throws MALFORMED, NOT_ENTITLED, BUDGET_EXCEEDED. */
  async report(caller: Caller, request: ReportSyncStateRequest): Promise<void> {
    check(caller, request);
    const { member } = caller;
    const done = (this.#turns.get(member) ?? Promise.resolve()).then(async () => {
      const receivedMs = this.#deps.clock.nowMs();
      await this.#makeRoom(member, request, receivedMs);
      const instances = this.#instances(member, request.instanceId);
      for (const state of request.states) await this.#take(member, request, state, { receivedMs, instances });
    });
    const settled = done.catch(() => {});
    this.#turns.set(member, settled);
    await done.finally(() => {
      if (this.#turns.get(member) === settled) this.#turns.delete(member);
    });
    this.#feed.notify();
  }

  /** Where a member's places are all taken, installations that left or fell silent give theirs. */
  async #makeRoom(member: string, request: ReportSyncStateRequest, nowMs: number): Promise<void> {
    if (this.#fits(member, request)) return;
    const own = toHex(request.instanceId);
    const rows = [...this.#of(member)];
    const live = new Set([own]);
    for (const [, { record }] of rows) if (isLive(record, nowMs)) live.add(toHex(record.instanceId));
    for (const [key, { record, origin }] of rows) {
      const instance = toHex(record.instanceId);
      if (live.has(instance)) continue;
      await this.#deps.storage.syncStates.drop(`${member}/${instance}`, origin);
      this.#of(member).delete(key);
    }
    if (this.#fits(member, request)) return;
    const most = `${MAX_INSTANCES} installations and ${MAX_MEMBER_STATES} states`;
    throw new HashfedError('BUDGET_EXCEEDED', `a member has at most ${most}`, { field: 'instance_id' });
  }

  #fits(member: string, { states, instanceId }: ReportSyncStateRequest): boolean {
    const rows = this.#of(member);
    const own = toHex(instanceId);
    const more = states.filter(({ origin }) => !rows.has(`${origin} ${own}`)).length;
    if (more === 0) return true;
    const { size } = this.#instances(member, instanceId);
    return size <= MAX_INSTANCES && rows.size + more <= MAX_MEMBER_STATES;
  }

  /** Those of which a state is kept, and one more. */
  #instances(member: string, own: Uint8Array): ReadonlySet<string> {
    const instances = new Set([toHex(own)]);
    for (const { record } of this.#of(member).values()) instances.add(toHex(record.instanceId));
    return instances;
  }

  /** Everything kept, by (member, origin, instance). */
  all(): SyncStateRecord[] {
    return [...this.#held]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, held]) => [...held].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { record }]) => record));
  }

  /** What changed after `arrival`, in order of arrival. */
  since(arrival: number): SyncStateRecord[] {
    if (arrival >= this.#arrival) return [];
    const found = this.all().filter((record) => Number(record.arrival) > arrival);
    return found.sort((a, b) => Number(a.arrival - b.arrival));
  }

  async #take(
    member: string,
    { instanceId, sdkVersion, leaving }: ReportSyncStateRequest,
    state: ListSyncState,
    { receivedMs, instances }: { readonly receivedMs: number; readonly instances: ReadonlySet<string> },
  ): Promise<void> {
    const { origin } = state;
    const key = `${origin} ${toHex(instanceId)}`;
    const before = this.#of(member).get(key)?.record;
    if (before !== undefined && saysNothingNew(before, state, leaving, receivedMs)) return;
    this.#arrival += 1;
    const record: SyncStateRecord = {
      arrival: BigInt(this.#arrival),
      member: PREFIX + member,
      instanceId,
      state,
      sdkVersion,
      receivedMs: BigInt(receivedMs),
      left: leaving,
    };
    const { syncStates } = this.#deps.storage;
    const bytes = SyncStateRecord.encode(record).finish();
    await syncStates.put({ member: `${member}/${toHex(instanceId)}`, origin, receivedMs, bytes });
    this.#keep({ record, origin });
    const slowest = this.#slowest(member, origin, instances, receivedMs);
    if (slowest !== undefined)
      await syncStates.put({ member, origin, receivedMs, bytes: ListSyncState.encode(slowest).finish() });
  }

  /** The state that the member is measured by: of its live installations the one with the fewest entries. */
  #slowest(
    member: string,
    origin: string,
    instances: ReadonlySet<string>,
    nowMs: number,
  ): ListSyncState | undefined {
    const rows = this.#of(member);
    const all = [...instances].flatMap((instance) => rows.get(`${origin} ${instance}`) ?? []);
    const live = all.filter(({ record }) => isLive(record, nowMs));
    const states = (live.length > 0 ? live : all).flatMap(({ record }) => record.state ?? []);
    return states.reduce<ListSyncState | undefined>(
      (least, state) => (least === undefined || state.size < least.size ? state : least),
      undefined,
    );
  }

  #of(member: string): Map<string, Held> {
    return this.#held.get(member) ?? new Map<string, Held>();
  }

  #keep(held: Held): void {
    const { record, origin } = held;
    const member = record.member.slice(PREFIX.length);
    const rows = this.#of(member);
    this.#held.set(member, rows);
    rows.set(`${origin} ${toHex(record.instanceId)}`, held);
    this.#arrival = Math.max(this.#arrival, Number(record.arrival));
  }
}

function isLive({ left, receivedMs }: SyncStateRecord, nowMs: number): boolean {
  return !left && nowMs - Number(receivedMs) <= SILENT_MS;
}

function saysNothingNew(
  before: SyncStateRecord,
  state: ListSyncState,
  leaving: boolean,
  nowMs: number,
): boolean {
  const was = before.state;
  if (was === undefined || before.left !== leaving) return false;
  const same =
    was.size === state.size &&
    equalBytes(was.root, state.root) &&
    was.state === state.state &&
    was.cause === state.cause &&
    was.rootVersion === state.rootVersion;
  return same && nowMs - Number(before.receivedMs) < REPEAT_MS;
}

function check(caller: Caller, { states, sdkVersion, instanceId }: ReportSyncStateRequest): void {
  if (states.length === 0 || states.length > MAX_STATES) malformed('states', `needs 1 to ${MAX_STATES}`);
  if (instanceId.length !== 16) malformed('instance_id', 'is not 16 bytes');
  if (sdkVersion.length > MAX_VERSION_BYTES || !/^[\x20-\x7e]*$/.test(sdkVersion))
    malformed('sdk_version', 'is no version');
  const seen = new Set<string>();
  for (const state of states) {
    const origin = parseOrigin(state.origin).text;
    if (seen.has(origin)) malformed('states', 'name a list twice');
    seen.add(origin);
    caller.requireReadable(origin);
    checkState(state);
  }
}

function checkState({ size, root, freshnessMs, appliedMs, state, rootVersion }: ListSyncState): void {
  for (const [name, value] of Object.entries({
    size,
    root_version: rootVersion,
  }))
    if (value >= BigInt(MAX_U53)) malformed(`states.${name}`, 'is not below 2^53');
  for (const [name, value] of Object.entries({ freshness_ms: freshnessMs, applied_ms: appliedMs }))
    if (value >= BigInt(END_OF_TIME_MS)) malformed(`states.${name}`, 'is no time');
  if (root.length !== 32 && !(size === 0n && root.length === 0)) malformed('states.root', 'is not 32 bytes');
  if (!Object.values<number>(SyncState).includes(state) || state === SyncState.UNSPECIFIED)
    malformed('states.state', 'is unknown');
}
