import {
  equalBytes,
  HASH_TYPES,
  HashfedError,
  type HashType,
  type RecordView,
  toHex,
} from '../../../sdk/core/index.js';
import { BatchBuilder } from '../batch/index.js';
import type { Workstation } from './open.js';
import type { Replica } from './replica.js';

/** What is to be withdrawn: every record of a hash, or every record of an item in all lists. */
export type WithdrawTarget =
  | { readonly kind: 'hash'; readonly type: HashType | undefined; readonly hash: Uint8Array }
  | { readonly kind: 'item'; readonly itemId: Uint8Array };

export interface WithdrawJob {
  readonly targets: readonly WithdrawTarget[];
  /** Number of the reason table, 1–255. */
  readonly reason: number;
  /** A hash withdraws its whole items, under every hash type. */
  readonly wholeItems: boolean;
  readonly batchFile: string;
  readonly sourceName: string;
}

/** A record to be withdrawn. */
export interface WithdrawnRecord {
  readonly origin: string;
  readonly addIndex: number;
  readonly itemId: Uint8Array;
}

const HASH_TEXT = /^(?:(md5|sha1|sha256|pdq|photodna):)?([0-9a-fA-F]{2,288})$/;

/** `TYPE:HEX`, bare hex, or `item:HEX`. Throws USAGE. */
export function parseTarget(text: string): WithdrawTarget {
  const item = /^item:([0-9a-fA-F-]{32,36})$/.exec(text)?.[1]?.replaceAll('-', '');
  if (item?.length === 32) return { kind: 'item', itemId: new Uint8Array(Buffer.from(item, 'hex')) };
  const [, type, hex] = HASH_TEXT.exec(text) ?? [];
  const hash = new Uint8Array(Buffer.from(hex ?? '', 'hex'));
  const fits = Object.entries(HASH_TYPES).some(
    ([name, { bytes }]) => (type === undefined || type === name) && bytes === hash.length,
  );
  if (!fits)
    throw new HashfedError('USAGE', 'a hash is TYPE:HEX or HEX of the right length, an item is item:HEX', {
      field: 'hash',
    });
  return { kind: 'hash', type: type as HashType | undefined, hash };
}

/**
 * Makes a batch that withdraws: one WITHDRAW per record in each list. Throws TARGET_ABSENT where nothing of a target
 * is listed.
 */
export async function writeWithdrawal(
  station: Workstation,
  replicas: ReadonlyMap<string, Replica>,
  job: WithdrawJob,
): Promise<WithdrawnRecord[]> {
  const records = findRecords(replicas, job);
  const builder = await BatchBuilder.create(job.batchFile, station.random);
  try {
    for (const { origin, addIndex } of records)
      await builder.put(origin, {
        kind: 'withdraw',
        timeMs: 0,
        targetIndex: addIndex,
        reason: job.reason,
        meta: new Uint8Array(),
      });
    const basedOn = new Map([...replicas].map(([origin, { state }]) => [origin, state.size]));
    const createdMs = station.clock.nowMs();
    await builder.finish({ createdMs, source: job.sourceName, refusedRows: 0, basedOn });
  } catch (error) {
    await builder.abort();
    throw error;
  }
  return records;
}

/** Every record that the targets name, each once, ascending by list and index. */
export function findRecords(
  replicas: ReadonlyMap<string, Replica>,
  job: Pick<WithdrawJob, 'targets' | 'wholeItems'>,
): WithdrawnRecord[] {
  const found = new Map<string, WithdrawnRecord>();
  const items = new Set<string>();
  const take = (origin: string, { addIndex, itemId }: RecordView): void => {
    found.set(`${origin} ${addIndex}`, { origin, addIndex, itemId });
  };
  const missing: WithdrawTarget[] = [];
  for (const target of job.targets) {
    if (target.kind === 'item') {
      items.add(toHex(target.itemId));
      continue;
    }
    const hits = findHash(replicas, target);
    if (hits.length === 0) missing.push(target);
    for (const [origin, record] of hits) {
      take(origin, record);
      if (job.wholeItems) items.add(toHex(record.itemId));
    }
  }
  const seen = new Set<string>();
  if (items.size > 0) {
    for (const [origin, { state }] of replicas)
      for (const record of state.records()) {
        const id = toHex(record.itemId);
        if (!items.has(id)) continue;
        seen.add(id);
        take(origin, record);
      }
  }
  const absent = missing.length + [...items].filter((id) => !seen.has(id)).length;
  if (absent > 0)
    throw new HashfedError(
      'TARGET_ABSENT',
      `${absent} of ${job.targets.length} hashes or items are not listed`,
      {
        field: 'hash',
      },
    );
  return [...found.values()].sort((a, b) =>
    a.origin === b.origin ? a.addIndex - b.addIndex : a.origin < b.origin ? -1 : 1,
  );
}

function findHash(
  replicas: ReadonlyMap<string, Replica>,
  { type, hash }: Extract<WithdrawTarget, { kind: 'hash' }>,
): [string, RecordView][] {
  return [...replicas].flatMap(([origin, { state }]) => {
    const listed = state.origin.type;
    if (listed === 'events' || HASH_TYPES[listed].bytes !== hash.length) return [];
    if (type !== undefined && type !== listed) return [];
    return state.lookup(hash).map((record): [string, RecordView] => [origin, record]);
  });
}

/** Records that stay listed although another record of the same item was withdrawn. */
export function stillListed(
  replicas: ReadonlyMap<string, Replica>,
  withdrawn: readonly WithdrawnRecord[],
): number {
  const gone = new Set(withdrawn.map(({ origin, addIndex }) => `${origin} ${addIndex}`));
  const items = withdrawn.map(({ itemId }) => itemId);
  if (items.length > 1000) return 0;
  let count = 0;
  for (const [origin, { state }] of replicas)
    for (const record of state.records())
      if (items.some((id) => equalBytes(id, record.itemId)) && !gone.has(`${origin} ${record.addIndex}`))
        count += 1;
  return count;
}
