import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { HashfedError } from '../../../sdk/core/index.js';
import type { ImportMap } from './map.js';
import { MAX_ROW_BYTES, PlainRows } from './plain-rows.js';
import { readRow } from './row.js';
import type { ImportEvent, Importer } from './types.js';

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
  const iterator = source[Symbol.asyncIterator]();
  const plain = new PlainRows(iterator, map.delimiter, (heading) => checkHeading(heading, map));
  try {
    for await (const rows of plain.batches()) {
      signal?.throwIfAborted();
      for (const { line, cells } of rows) yield readRow(line, cells, map);
    }
    if (plain.unfinished) yield* readQuoted(plain, map, signal);
  } finally {
    await iterator.return?.();
  }
}

/** What is left from a row with a quote on; the whole file where not even the heading was plain. */
async function* readQuoted(
  plain: PlainRows,
  map: ImportMap,
  signal: AbortSignal | undefined,
): AsyncGenerator<ImportEvent> {
  const { names, lines } = plain;
  const parser = parse({
    bom: names === undefined,
    columns: names === undefined ? (heading: string[]) => checkHeading(heading, map) : [...names],
    ...(names !== undefined && { record_delimiter: plain.ending }),
    delimiter: map.delimiter,
    info: true,
    max_record_size: MAX_ROW_BYTES,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  const input = Readable.from(plain.rest(), { objectMode: true });
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<ParsedRow>) {
      signal?.throwIfAborted();
      yield readRow(lines + info.lines, record, map);
    }
  } catch (error) {
    throw asMalformed(error, lines);
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

function asMalformed(error: unknown, before: number): unknown {
  if (!(error instanceof CsvError)) return error;
  const line = before + ((error as CsvError & { lines?: number }).lines ?? 0);
  return new HashfedError('MALFORMED', `line ${line}: not readable as CSV (${error.code})`, {
    field: 'file',
    cause: error,
  });
}
