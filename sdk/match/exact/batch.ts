import { BATCH, LITTLE_ENDIAN } from './limits.js';
import type { Probe } from './probe.js';
import { findRow, swap, type Table } from './table.js';

const scratch = new Int32Array(BATCH * 8);
const scratchBytes = new Uint8Array(scratch.buffer);
const candidates = new Int32Array(BATCH);
/** Keeps the loads below from being optimised away. */
const sink = new Int32Array(1);

/**
 * First row of each key of `flat` (whole keys), or −1, into `out`. Each block of queries reads directory and tags,
 * then touches the rows, then compares them, in separate passes, so that their cache misses overlap.
 */
export function findRows(t: Table, probe: Probe, flat: Uint8Array, out: Int32Array): void {
  const count = flat.length / t.keyBytes;
  if (!LITTLE_ENDIAN || t.count === 0) {
    for (let i = 0; i < count; i++) out[i] = findRow(t, keyOf(t, flat, i));
    return;
  }
  for (let start = 0; start < count; start += BATCH) {
    const n = Math.min(BATCH, count - start);
    const bytes = flat.subarray(start * t.keyBytes, (start + n) * t.keyBytes);
    scratchBytes.set(bytes);
    choose(t, probe, n);
    touch(t, n);
    confirm(t, n, bytes, out, start);
  }
}

const keyOf = (t: Table, flat: Uint8Array, i: number): Uint8Array =>
  flat.subarray(i * t.keyBytes, (i + 1) * t.keyBytes);

function choose(t: Table, probe: Probe, n: number): void {
  const stride = t.keyBytes >>> 2;
  for (let i = 0; i < n; i++) candidates[i] = probe(swap(scratch[i * stride]!) | 0);
}

function touch({ keyBytes, rest }: Table, n: number): void {
  const words = (keyBytes - 4) >>> 2;
  let touched = 0;
  for (let i = 0; i < n; i++) touched += rest[Math.max(0, candidates[i]!) * words]!;
  sink[0]! ^= touched;
}

function confirm(t: Table, n: number, bytes: Uint8Array, out: Int32Array, start: number): void {
  for (let i = 0; i < n; i++) {
    const row = candidates[i]!;
    const decided = row === -1 || (row >= 0 && sameWords(t, row, i));
    out[start + i] = decided ? row : findRow(t, keyOf(t, bytes, i));
  }
}

/** Row against query `i` of the block. */
function sameWords(t: Table, row: number, i: number): boolean {
  const r = t.rest;
  const q = scratch;
  if (t.keyBytes === 32) {
    const o = row * 7;
    const a = i * 8 + 1;
    const front =
      (r[o]! ^ q[a]!) | (r[o + 1]! ^ q[a + 1]!) | (r[o + 2]! ^ q[a + 2]!) | (r[o + 3]! ^ q[a + 3]!);
    return (front | (r[o + 4]! ^ q[a + 4]!) | (r[o + 5]! ^ q[a + 5]!) | (r[o + 6]! ^ q[a + 6]!)) === 0;
  }
  if (t.keyBytes === 20) {
    const o = row * 4;
    const a = i * 5 + 1;
    const front = (r[o]! ^ q[a]!) | (r[o + 1]! ^ q[a + 1]!);
    return (front | (r[o + 2]! ^ q[a + 2]!) | (r[o + 3]! ^ q[a + 3]!)) === 0;
  }
  const o = row * 3;
  const a = i * 4 + 1;
  return ((r[o]! ^ q[a]!) | (r[o + 1]! ^ q[a + 1]!) | (r[o + 2]! ^ q[a + 2]!)) === 0;
}
