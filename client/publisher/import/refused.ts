import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import type { RefusedRow } from './types.js';

export interface RefusedRowsWriter {
  /** Resolves when the row may be followed by the next. */
  write(row: RefusedRow): Promise<void>;
  /** Rows written so far. */
  readonly count: number;
  close(): Promise<void>;
}

/** Writes refused rows as CSV: the source's own columns, then line, column and reason. Created on the first row. */
export function refusedRowsWriter(file: string): RefusedRowsWriter {
  let csv: ReturnType<typeof stringify> | undefined;
  let done: Promise<void> | undefined;
  let count = 0;
  const open = () => {
    csv = stringify({ header: true });
    const out = createWriteStream(file, { mode: 0o600 });
    done = finished(csv.pipe(out));
    return csv;
  };
  return {
    get count() {
      return count;
    },
    async write({ line, field, reason, cells }) {
      csv ??= open();
      count += 1;
      const row = { ...cells, refused_line: String(line), refused_column: field, refused_reason: reason };
      if (!csv.write(row)) await new Promise<void>((resolve) => csv?.once('drain', () => resolve()));
    },
    async close() {
      csv?.end();
      await done;
    },
  };
}
