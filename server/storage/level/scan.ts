/** Ranges of rows, read ahead in small pieces and checked one by one. */
import { checkAborted, damaged } from '../failure.js';
import type { Row, ScanOptions } from '../kernel.js';
import { unseal } from '../sealed.js';
import type { Engine, EngineRow } from './engine.js';

/** Rows fetched at a time, the first time and later. */
const FIRST_ROWS = 16;
const MORE_ROWS = 256;

export async function* sealedRows(engine: Engine, options: ScanOptions): AsyncGenerator<EngineRow> {
  const { from, to, reverse = false, limit = -1, keysOnly = false, signal } = options;
  const iterator = engine.iterate({ gte: from, lt: to, reverse, limit, keysOnly });
  try {
    for (let size = FIRST_ROWS; ; size = MORE_ROWS) {
      checkAborted(signal);
      const rows = await iterator
        .next(size)
        .catch((cause: unknown) => damaged('database', 'could not be read', cause));
      if (rows.length === 0) return;
      for (const row of rows) {
        checkAborted(signal);
        yield row;
      }
    }
  } finally {
    await iterator.close();
  }
}

export async function* scanRows(engine: Engine, options: ScanOptions): AsyncGenerator<Row> {
  for await (const { key, value } of sealedRows(engine, options)) {
    yield { key, value: options.keysOnly ? value : unseal(key, value) };
  }
}
