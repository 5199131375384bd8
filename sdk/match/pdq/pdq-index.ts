/**
 * An index of PDQ hashes with exact recall: multi-index hashing in WebAssembly, a scan where buckets are skewed.
 * Rows are numbers that the caller gives out densely; memory grows with the largest.
 */

import { HashfedError } from '../../core/index.js';
import {
  DEFAULT_CAP,
  DEFAULT_SLICE_MS,
  HASH_BYTES,
  MATCH_DISTANCE,
  MAX_CAP,
  MAX_DISTANCE,
  MAX_ROWS,
} from './limits.js';
import { BATCH, PdqMemory } from './memory.js';
import { PdqProbes } from './probes.js';
import { inSlices, type SliceOptions } from './slices.js';

/** Rows within the distance, in no order, each with its distance. */
export interface PdqMatches {
  readonly count: number;
  readonly rows: Uint32Array;
  readonly distances: Uint8Array;
  /** True when more rows than the cap are within the distance: `rows` are some of them. */
  readonly truncated: boolean;
}

/** What to change: removals come first. `hashes` holds 32 bytes for each of `rows`, one after the other. */
export interface PdqChanges {
  readonly remove?: Uint32Array;
  readonly rows?: Uint32Array;
  readonly hashes?: Uint8Array;
}

/** Set in an answer for which probing was given up. */
const SCANNED = 2 ** 30;
const NOTHING = 0;
const MORE = 1;
const SWITCHED = 2;
const EXHAUSTED = 3;
/** Rows entered into new bands for each row added, so that building keeps ahead. */
const BUILD_AHEAD = 8;
const NO_MATCHES: PdqMatches = {
  count: 0,
  rows: new Uint32Array(0),
  distances: new Uint8Array(0),
  truncated: false,
};

export class PdqIndex {
  readonly #memory = new PdqMemory();
  readonly #wasm = this.#memory.wasm;
  readonly #probes = new PdqProbes(this.#memory);
  #busy = false;

  /** Hashes held. */
  get size(): number {
    return this.#wasm.size();
  }

  /** Bytes of its memory, all in: also what is free for hashes to come. */
  get bytes(): number {
    return this.#wasm.memoryBytes() >>> 0;
  }

  /** Bands in use and the bits of their bucket numbers; no bands means that every query scans. */
  get bands(): { readonly count: number; readonly bits: number } {
    return this.#probes.plan;
  }

  has(row: number): boolean {
    return row >>> 0 === row && this.#wasm.has(row) !== 0;
  }

  /**
   * Rows whose hash is within `maxDistance` (0 to 63) of `hash` (32 bytes), at most `cap`.
   * Exact at every distance; from 32 on slower. Throws `MALFORMED`.
   */
  search(hash: Uint8Array, maxDistance: number = MATCH_DISTANCE, cap: number = DEFAULT_CAP): PdqMatches {
    checkQuery(hash, maxDistance, cap);
    this.#memory.setQuery(hash);
    const spare = this.#probes.prepare(maxDistance, this.#wasm.size());
    if (spare === 0) return this.#answer(this.#wasm.scan(maxDistance, cap));
    const word = this.#wasm.search(maxDistance, cap, spare);
    if (word >= 0) this.#probes.learn((word & SCANNED) !== 0, this.#wasm.linesVisited());
    return this.#answer(word);
  }

  /** The same by looking at every hash: what the index falls back to, and what it is measured against. */
  scan(hash: Uint8Array, maxDistance: number = MATCH_DISTANCE, cap: number = DEFAULT_CAP): PdqMatches {
    checkQuery(hash, maxDistance, cap);
    this.#memory.setQuery(hash);
    return this.#answer(this.#wasm.scan(maxDistance, cap));
  }

  /** Adds a row, or replaces its hash. Throws `MALFORMED`, and `OVERLOADED` when memory is exhausted. */
  add(row: number, hash: Uint8Array): void {
    checkRow(row);
    if (hash.length !== HASH_BYTES) throw new HashfedError('MALFORMED', 'pdq: a hash is 32 bytes');
    this.#memory.setBatchRow(row);
    this.#memory.setBatchHashes(hash);
    this.#added(this.#wasm.addBatch(1));
    this.#advance(BUILD_AHEAD);
  }

  /** Removes a row; false if it was not there. */
  remove(row: number): boolean {
    if (!this.has(row)) return false;
    this.#memory.setBatchRow(row);
    const removed = this.#wasm.removeBatch(1) === 1;
    this.#advance(BUILD_AHEAD);
    return removed;
  }

  /** Adds all at once and builds the bands before it returns: for loading, when no query waits. */
  load(rows: Uint32Array, hashes: Uint8Array): void {
    this.loadParts([{ rows, hashes }]);
  }

  /** As `load`, in parts: bands are built once, when all of them are in, and so take no more than they need. */
  loadParts(parts: Iterable<Pick<PdqChanges, 'rows' | 'hashes'>>): void {
    for (const part of parts)
      for (const _ of this.#adding(part, BATCH)) {
        // Each turn adds one batch.
      }
    while (this.#maintain(1 << 16) !== NOTHING) {
      // Each turn enters a part of the rows.
    }
  }

  /**
   * Applies changes while queries run: the thread is held for at most `sliceMs` at a time, and every query
   * sees each row either before or after its change. One update at a time; a second throws `OVERLOADED`.
   * Cancelled by `signal`, it has applied a part, and the same changes can be applied again.
   */
  async update(changes: PdqChanges, options: SliceOptions = {}): Promise<void> {
    if (this.#busy) throw new HashfedError('OVERLOADED', 'pdq: another update of this index is running');
    this.#busy = true;
    try {
      await inSlices(this.#steps(changes), { sliceMs: DEFAULT_SLICE_MS, ...options });
    } finally {
      this.#busy = false;
    }
  }

  *#steps(changes: PdqChanges): Generator<void> {
    const remove = changes.remove ?? new Uint32Array(0);
    for (let at = 0; at < remove.length; at += 8) {
      const part = remove.subarray(at, at + 8);
      this.#memory.setBatchRows(part);
      this.#wasm.removeBatch(part.length);
      yield;
    }
    yield* this.#adding(changes, 8);
    while (this.#maintain(32) !== NOTHING) yield;
  }

  *#adding(changes: PdqChanges, batch: number): Generator<void> {
    const rows = changes.rows ?? new Uint32Array(0);
    const hashes = changes.hashes ?? new Uint8Array(0);
    if (hashes.length !== rows.length * HASH_BYTES) {
      throw new HashfedError('MALFORMED', 'pdq: 32 bytes for each row expected');
    }
    for (let at = 0; at < rows.length; at += batch) {
      const part = rows.subarray(at, at + batch);
      for (const row of part) checkRow(row);
      this.#memory.setBatchRows(part);
      this.#memory.setBatchHashes(hashes.subarray(at * HASH_BYTES, (at + part.length) * HASH_BYTES));
      this.#added(this.#wasm.addBatch(part.length));
      if (this.#building) this.#advance(batch * BUILD_AHEAD);
      yield;
    }
  }

  #building = false;

  #added(done: number): void {
    if (done === 0) throw new HashfedError('OVERLOADED', 'pdq: the memory of this index is exhausted');
  }

  /** Continues or, where the plan no longer fits the size, starts building; `NOTHING` when all is in place. */
  #maintain(work: number): number {
    const outcome = this.#wasm.step(work);
    if (outcome === EXHAUSTED) this.#probes.keep(this.#wasm.size());
    if (outcome === SWITCHED) this.#probes.adopt(this.#wasm.shape());
    if (outcome !== NOTHING) return MORE;
    const plan = this.#probes.better(this.#wasm.size(), this.#wasm.ghosts());
    this.#building = plan !== undefined && this.#wasm.beginBuild(plan.count, plan.bits) !== 0;
    if (!this.#building && plan !== undefined) this.#probes.keep(this.#wasm.size());
    return this.#building ? MORE : NOTHING;
  }

  #advance(work: number): void {
    if (this.#building || this.#probes.outgrown(this.#wasm.size(), this.#wasm.ghosts())) this.#maintain(work);
  }

  #answer(word: number): PdqMatches {
    const count = word & 0xffff;
    if (count === 0) return NO_MATCHES;
    return {
      count,
      rows: this.#memory.rows(count),
      distances: this.#memory.distances(count),
      truncated: word < 0,
    };
  }
}

function checkRow(row: number): void {
  if (!Number.isInteger(row) || row < 0 || row >= MAX_ROWS) {
    throw new HashfedError('MALFORMED', 'pdq: a row is an integer below 2^24');
  }
}

function checkQuery(hash: Uint8Array, maxDistance: number, cap: number): void {
  const within = (value: number, low: number, high: number) =>
    Number.isInteger(value) && value >= low && value <= high;
  if (hash.length !== HASH_BYTES) throw new HashfedError('MALFORMED', 'pdq: a hash is 32 bytes');
  if (!within(maxDistance, 0, MAX_DISTANCE)) {
    throw new HashfedError('MALFORMED', `pdq: distance must be 0 to ${MAX_DISTANCE}`);
  }
  if (!within(cap, 1, MAX_CAP)) throw new HashfedError('MALFORMED', `pdq: cap must be 1 to ${MAX_CAP}`);
}
