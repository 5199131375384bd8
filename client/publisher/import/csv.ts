import { Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { HashfedError } from '../../../sdk/core/index.js';
import type { ImportMap } from './map.js';
import { readRow } from './row.js';
import type { ImportEvent, Importer } from './types.js';

/** Bytes of one row; a longer one is a broken quote, not data. */
const MAX_ROW_BYTES = 1024 * 1024;

interface ParsedRow {
  readonly record: Record<string, string>;
  readonly info: { readonly lines: number };
}

/** CSV (RFC 4180) with a heading row; the map says what the columns mean. */
export function csvImporter(map: ImportMap): Importer {
  return { format: 'csv', read: (source, signal) => readCsv(source, map, signal) };
}

async function* readCsv(
  source: AsyncIterable<Uint8Array>,
  map: ImportMap,
  signal?: AbortSignal,
): AsyncGenerator<ImportEvent> {
  const parser = parse({
    bom: true,
    columns: (heading: string[]) => checkHeading(heading, map),
    delimiter: map.delimiter,
    info: true,
    max_record_size: MAX_ROW_BYTES,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  const input = Readable.from(source, { objectMode: true });
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<ParsedRow>) {
      signal?.throwIfAborted();
      yield readRow(info.lines, record, map);
    }
  } catch (error) {
    throw asMalformed(error);
  } finally {
    input.destroy();
  }
}

/** Every column that the map names must be there, once; columns that it does not name are left alone. */
function checkHeading(heading: string[], map: ImportMap): string[] {
  const names = heading.map((name) => name.trim());
  for (const wanted of Object.values(map.columns)) {
    const found = names.filter((name) => name === wanted).length;
    if (found !== 1) {
      const why = found === 0 ? 'is not in the heading' : 'stands in the heading twice';
      throw new HashfedError('MALFORMED', `line 1: column "${wanted}" ${why}`, { field: wanted ?? 'file' });
    }
  }
  return names;
}

function asMalformed(error: unknown): unknown {
  const code = (error as CsvError).code;
  if (error instanceof HashfedError || typeof code !== 'string' || !code.startsWith('CSV_')) return error;
  const line = (error as CsvError & { lines?: number }).lines ?? 0;
  return new HashfedError('MALFORMED', `line ${line}: not readable as CSV (${code})`, {
    field: 'file',
    cause: error,
  });
}
