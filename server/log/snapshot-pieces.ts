import type { PullSnapshotResponse } from '../../proto/gen/hashfed/v1/list.js';
import { type ListState, RECORD_TAIL_BYTES, readU16 } from '../../sdk/core/index.js';

/** Bytes of rows in one message. */
const MAX_ROWS_BYTES = 256 * 1024;

/** Cuts the records of a state into messages, bucket by bucket; a long bucket goes on in the next message. */
export function* snapshotPieces(state: ListState): Generator<PullSnapshotResponse> {
  let piece = new Piece(0);
  for (let bucket = 0; bucket < 2 ** state.bucketBits; bucket += 1) {
    let rows = state.bytesOfBucket(bucket);
    if (piece.bytes > 0 && piece.bytes + rows.length > MAX_ROWS_BYTES) {
      yield piece.finish(false);
      piece = new Piece(bucket);
    }
    while (rows.length > MAX_ROWS_BYTES) {
      const cut = lastCut(rows, state.arena.hashLength);
      piece.add(rows.subarray(0, cut));
      yield piece.finish(true);
      piece = new Piece(bucket);
      rows = rows.subarray(cut);
    }
    piece.add(rows);
  }
  yield piece.finish(false);
}

/** The end of the last whole record within the limit; a record is far smaller than that. */
function lastCut(rows: Uint8Array, hashLength: number): number {
  for (let at = 0; ; ) {
    const length = hashLength + RECORD_TAIL_BYTES + readU16(rows, at + hashLength + RECORD_TAIL_BYTES - 2);
    if (at + length > MAX_ROWS_BYTES) return at;
    at += length;
  }
}

class Piece {
  readonly #firstBucket: number;
  readonly #bucketBytes: number[] = [];
  readonly #rows: Uint8Array[] = [];
  bytes = 0;

  constructor(firstBucket: number) {
    this.#firstBucket = firstBucket;
  }

  add(rows: Uint8Array): void {
    this.#bucketBytes.push(rows.length);
    this.#rows.push(rows);
    this.bytes += rows.length;
  }

  finish(continues: boolean): PullSnapshotResponse {
    const { buffer, byteOffset } = Buffer.concat(this.#rows, this.bytes);
    const rows = new Uint8Array(buffer, byteOffset, this.bytes);
    return { firstBucket: this.#firstBucket, bucketBytes: this.#bucketBytes, rows, continues };
  }
}

/** What of a stored piece lies in buckets [from, to); undefined where nothing does. */
export function trimPiece(
  piece: PullSnapshotResponse,
  from: number,
  to: number,
): PullSnapshotResponse | undefined {
  const last = piece.firstBucket + piece.bucketBytes.length;
  const first = Math.max(from, piece.firstBucket);
  const end = Math.min(to, last);
  if (first >= end) return undefined;
  const before = piece.bucketBytes.slice(0, first - piece.firstBucket);
  const bucketBytes = piece.bucketBytes.slice(first - piece.firstBucket, end - piece.firstBucket);
  const start = sum(before);
  const rows = piece.rows.subarray(start, start + sum(bucketBytes));
  return { firstBucket: first, bucketBytes, rows, continues: piece.continues && end === last };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
