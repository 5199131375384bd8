import { writeU64 } from '../../../sdk/core/index.js';
import type { RecordKey } from '../../../sdk/match/index.js';

/** Lists of records by hash, in plain objects: slow, and right by looking at it. */
export class Oracle {
  readonly records = new Map<string, Set<number>>();

  apply(changes: { added: RecordKey[]; removed: RecordKey[] }): void {
    for (const { hash, addIndex } of changes.removed) this.of(hash).delete(addIndex);
    for (const { hash, addIndex } of changes.added) this.of(hash).add(addIndex);
  }

  of(hash: Uint8Array): Set<number> {
    const key = Buffer.from(hash).toString('hex');
    let set = this.records.get(key);
    if (set === undefined) {
      set = new Set();
      this.records.set(key, set);
    }
    return set;
  }

  sorted(): RecordKey[] {
    const all: RecordKey[] = [];
    for (const [hex, ids] of [...this.records].sort(([a], [b]) => (a < b ? -1 : 1))) {
      for (const addIndex of [...ids].sort((a, b) => a - b)) all.push({ hash: fromHexText(hex), addIndex });
    }
    return all;
  }
}

export function fromHexText(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** Canonical rows with `meta` bytes of meta each. */
export function rowsOf(records: readonly RecordKey[], meta = 0): Uint8Array {
  return Uint8Array.from(
    Buffer.concat(
      records.map(({ hash, addIndex }) => {
        const row = new Uint8Array(hash.length + 45 + meta);
        row.set(hash);
        writeU64(row, hash.length, addIndex);
        row[hash.length + 44] = meta;
        return row;
      }),
    ),
  );
}

/** A small deterministic generator: failures repeat. */
export function randomSource(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Hashes of three kinds: spread out, all with one beginning, and all but equal. */
export function hashMaker(
  kind: 'uniform' | 'prefix' | 'tail',
  keyBytes: number,
  next: (n: number) => number,
) {
  return (): Uint8Array => {
    const hash = new Uint8Array(keyBytes).fill(0xab);
    const from = kind === 'uniform' ? 0 : kind === 'prefix' ? 6 : keyBytes - 2;
    for (let i = from; i < keyBytes; i++) hash[i] = next(256);
    return hash;
  };
}

/** Sorted keys, few of them different: `rows[s]` keys whose first two bytes are 0x80 and `s`. */
export function crowdedKeys(
  rows: readonly number[],
  keyBytes: number,
  next: (n: number) => number,
): Uint8Array[] {
  const keys: Uint8Array[] = [];
  rows.forEach((count, slot) => {
    for (let i = 0; i < count; i++) {
      const key = new Uint8Array(keyBytes);
      key.set([0x80, slot, 0, next(3)]);
      key[keyBytes - 1] = next(4);
      keys.push(key);
    }
  });
  return keys.sort(Buffer.compare);
}
