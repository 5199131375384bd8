import type { LoadedConfig } from './config/index.js';
import { HashfedError } from './core/index.js';
import type { Hashfed } from './hashfed.js';
import {
  type Batch,
  Inventory,
  type InventoryEntry,
  type LookedFor,
  type Matched,
  rematch,
  type Shelf,
  showPath,
} from './inventory/index.js';
import type { Verdict } from './match/index.js';
import type { MatchingList } from './matching-list.js';
import type { ObjectHashes } from './pipeline/index.js';

/** The inventory beside a hoster's store, under the store's own key. */
export function openInventory(hashfed: Hashfed, config: LoadedConfig): Inventory {
  if (config.store === undefined)
    throw new HashfedError('USAGE', `${config.file}: store: is not configured`, { field: 'store' });
  const { store, deps } = hashfed;
  return new Inventory({ store, dir: `${config.path(config.store.dir)}/inventory`, random: deps.random });
}

/** What an object that is matched now was matched against. */
export function matchedNow({ matching, deps, book }: Hashfed): Matched {
  const acting = matching.filter(({ purpose }) => purpose === 'listed');
  const infos = acting.map((list) => list.info(deps, book));
  // An empty list holds nothing that could have been missed.
  const fresh = infos.filter(({ state }) => state !== 'EMPTY').map(({ lastFreshMs }) => lastFreshMs);
  const known = fresh.filter((ms) => ms !== undefined);
  return {
    sizes: Object.fromEntries(matching.map(({ origin, replica }) => [origin, replica.size])),
    atMs: deps.clock.nowMs(),
    freshMs: known.length === 0 || known.length < fresh.length ? null : Math.min(...known),
  };
}

/** What is known of an object as the pipeline would have computed it. */
export function objectOf(entry: InventoryEntry): ObjectHashes {
  const { md5, sha1, sha256, size, perceptual, pdq } = entry;
  const undecoded = pdq.length === 0 && { undecoded: 'unsupported' as const };
  return {
    hashes: { md5, sha1, sha256 },
    bytes: size,
    ...(perceptual && { perceptual: { pdq, photodna: [], ...undecoded } }),
  };
}

/** The reference that journal and verdicts use. */
export function journalRef({ head }: Shelf, { ref }: InventoryEntry): string {
  if (head.kind === 'objects') return showPath(ref);
  return head.name.endsWith('/') ? `${head.name}${showPath(ref)}` : `${head.name}/${showPath(ref)}`;
}

export interface RematchRequest {
  /** Every record of the lists instead of those that came or changed since the objects were last matched. */
  readonly all?: boolean;
  readonly signal?: AbortSignal;
  onProgress?(objects: number, of: number): void;
  /** An object on a list, and what to do about it; it is journaled already. */
  onMatch?(ref: string, verdict: Verdict): void;
}

export interface RematchSummary {
  /** Objects looked at; none of them was read. */
  readonly objects: number;
  readonly bytes: number;
  /** Hashes of the lists that were looked for. */
  readonly looked_for: number;
  readonly matches: number;
}

/** Matches all that is stored against what the lists gained, from its hashes alone. */
export async function rematchInventory(
  hashfed: Hashfed,
  inventory: Inventory,
  request: RematchRequest = {},
): Promise<RematchSummary> {
  const sum = { objects: 0, bytes: 0, looked_for: 0, matches: 0 };
  await hashfed.ready();
  for (const shelf of await inventory.shelves()) {
    const matched = matchedNow(hashfed);
    const batch = lookedFor(hashfed.matching, request.all === true ? {} : (shelf.head.matched?.sizes ?? {}));
    const before = sum.objects;
    const { perceptual } = hashfed.policy;
    const done = await rematch(shelf, batch, (entry) => judge(hashfed, shelf, entry, request, sum), {
      maxDistance: perceptual.pdq_max_distance,
      minQuality: perceptual.pdq_min_quality,
      ...(request.signal && { signal: request.signal }),
      onProgress: (objects, of) => request.onProgress?.(before + objects, before + of),
    });
    sum.objects += done.objects;
    sum.bytes += done.bytes;
    sum.looked_for += Object.values(batch).reduce((n, { count }: Batch) => n + count, 0);
    await shelf.setMatched(matched);
  }
  await stateStored(hashfed, inventory);
  return sum;
}

/** Lists that were FRESH at most so long ago count, as telemetry defines coverage. */
const CURRENT_HOURS = 24;

/** Has telemetry state how much is stored, and how much of it was checked against current lists. */
export async function stateStored({ telemetry, deps }: Hashfed, inventory: Inventory): Promise<void> {
  const { objects, bytes, current_bytes } = await inventory.coverage(deps.clock.nowMs(), CURRENT_HOURS);
  await telemetry?.stateCoverage({
    objectsStored: BigInt(objects),
    bytesStored: BigInt(bytes),
    bytesStoredChecked: BigInt(current_bytes),
    atRest: true,
  });
}

/** Asks first without journal and counts: the filter lets a few through that match nothing. */
async function judge(
  hashfed: Hashfed,
  shelf: Shelf,
  entry: InventoryEntry,
  request: RematchRequest,
  sum: { matches: number },
): Promise<void> {
  const object = objectOf(entry);
  if ((await hashfed.judgeObject(object, undefined)).action === 'none') return;
  const ref = journalRef(shelf, entry);
  const verdict = await hashfed.judgeObject(object, { ref });
  sum.matches++;
  request.onMatch?.(ref, verdict);
}

/** Hashes of the records that came or were amended from a size on; lists that are not named there give all. */
function lookedFor(lists: readonly MatchingList[], since: Readonly<Record<string, number>>): LookedFor {
  const types = ['md5', 'sha1', 'sha256', 'pdq'] as const;
  const batches = types.flatMap((type) => {
    const rows = lists
      .filter((list) => list.hashType === type)
      .map((list) => ({ list, rows: rowsSince(list, since[list.origin] ?? 0) }));
    const count = rows.reduce((sum, one) => sum + one.rows.length, 0);
    return count === 0 ? [] : [[type, { count, hashes: hashesOf(rows) }] as const];
  });
  return Object.fromEntries(batches);
}

function rowsSince({ replica: { state } }: MatchingList, size: number): Uint32Array {
  const rows = new Uint32Array(state.size <= size ? 0 : state.count);
  let n = 0;
  if (rows.length === 0) return rows;
  for (let b = 0; b < 2 ** state.bucketBits; b++) {
    for (const row of state.rowsOfBucket(b)) if (state.arena.lastIndex(row) >= size) rows[n++] = row;
  }
  return rows.subarray(0, n);
}

function* hashesOf(parts: readonly { list: MatchingList; rows: Uint32Array }[]): Generator<Uint8Array> {
  for (const { list, rows } of parts) for (const row of rows) yield list.replica.state.arena.hash(row);
}
