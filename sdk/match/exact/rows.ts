import { malformed, readU16, readU64 } from '../../core/index.js';

/** Canonical record rows (list format §3): hash | add_index | last_index | listed_ms | item_id | … | meta. */

/** Bytes of a row beside hash and meta. */
const FIXED_BYTES = 45;

/** Which record: its hash and its number in the log. */
export interface RecordKey {
  readonly hash: Uint8Array;
  readonly addIndex: number;
}

/** End of the row that starts at `at`. Throws `MALFORMED` where it does not end within `rows`. */
export function rowEnd(rows: Uint8Array, at: number, hashBytes: number): number {
  const fixed = at + hashBytes + FIXED_BYTES;
  if (fixed > rows.length) malformed('rows', 'end within a record');
  const end = fixed + readU16(rows, fixed - 2);
  if (end > rows.length) malformed('rows', 'end within a record');
  return end;
}

/** The records of a buffer of canonical rows, as `ExactIndex.apply` takes them. Hashes are views. */
export function* recordKeys(rows: Uint8Array, hashBytes: number): Generator<RecordKey> {
  for (let at = 0; at < rows.length; at = rowEnd(rows, at, hashBytes)) {
    yield { hash: rows.subarray(at, at + hashBytes), addIndex: readU64(rows, at + hashBytes) };
  }
}
