import type { HashType } from '../../../sdk/core/index.js';

/** One media file known to the publisher, as a source row describes it. */
export interface ImportedItem {
  /** 1-based line (or element) of the source, for error messages. */
  readonly line: number;
  /** 16 bytes; absent: the batch gives it a random one. */
  readonly itemId?: Uint8Array;
  /** Raw hashes by type, at least one. */
  readonly hashes: ReadonlyMap<HashType, Uint8Array>;
  /** Numbers of the scheme and code tables (docs/spec/formats.md), 1–255. */
  readonly scheme: number;
  readonly code: number;
  /** How many other analysts agreed, 0–255. */
  readonly verifications: number;
  /** Publisher's label, UTF-8, at most 64 bytes; for display only. */
  readonly label?: string;
  /** Series reference, at most 255 bytes. */
  readonly series?: string;
  /** Domain that made the assessment, where it is not the publisher. */
  readonly assessedBy?: string;
}

/** A row that was not taken, with the source's own columns so that it can be corrected and imported again. */
export interface RefusedRow {
  readonly line: number;
  /** The column that is wrong, as the source names it. */
  readonly field: string;
  readonly reason: string;
  readonly cells: Readonly<Record<string, string>>;
}

export type ImportEvent =
  | { readonly kind: 'item'; readonly item: ImportedItem }
  | { readonly kind: 'refused'; readonly row: RefusedRow };

/**
 * Reads one source format. MUST stream (bounded memory for any file size), MUST yield every row either as an
 * item or as refused, in the order of the source, and MUST throw `MALFORMED` only where the file as a whole
 * cannot be read. It never guesses: a classification that the map does not name is a refused row.
 */
export interface Importer {
  readonly format: string;
  read(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncIterable<ImportEvent>;
}
