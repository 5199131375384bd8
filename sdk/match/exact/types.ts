import type { OverlayArrays } from './overlay.js';
import type { Table } from './table.js';

/** What another thread needs to match: typed arrays over shared memory; post it as it is, nothing is copied. */
export interface ExactHandle {
  readonly format: 2;
  readonly table: Table;
  readonly overlay: OverlayArrays;
}

/** Bytes held: `table` is the index proper, `ids` the add_index column, `overlay` what changed since. */
export interface ExactBytes {
  readonly table: number;
  readonly ids: number;
  readonly overlay: number;
}
