import { HASH_TYPES, type HashType } from '../../../sdk/core/index.js';
import type { ImportMap } from './map.js';
import type { ImportEvent, ImportedItem } from './types.js';

type Cells = Readonly<Record<string, string>>;

/** Why a cell is refused; caught by `readRow` and turned into a refused row. */
class Refusal extends Error {
  readonly field: string;
  constructor(field: string, reason: string) {
    super(reason);
    this.field = field;
  }
}

const TYPES = Object.keys(HASH_TYPES) as HashType[];
const MAX_LABEL_BYTES = 64;
/** Together with the label they stay under the 512 bytes of an entry's meta. */
const MAX_SERIES_BYTES = 255;
const MAX_DOMAIN_BYTES = 64;

/** Turns one row of named cells into an item, or into a refused row that says which column is wrong. */
export function readRow(line: number, cells: Cells, map: ImportMap): ImportEvent {
  try {
    return { kind: 'item', item: toItem(line, cells, map) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { kind: 'refused', row: { line, field: error.field, reason: error.message, cells } };
  }
}

function toItem(line: number, cells: Cells, map: ImportMap): ImportedItem {
  const columns = map.columns;
  const itemId = readItemId(cells, columns.item_id);
  const label = readText(cells, columns.label, MAX_LABEL_BYTES);
  const series = readText(cells, columns.series, MAX_SERIES_BYTES);
  const assessedBy = readText(cells, columns.assessed_by, MAX_DOMAIN_BYTES);
  return {
    line,
    hashes: readHashes(cells, map),
    ...readClassification(cells, map),
    verifications: readVerifications(cells, map),
    ...(itemId && { itemId }),
    ...(label && { label }),
    ...(series && { series }),
    ...(assessedBy && { assessedBy }),
  };
}

function readHashes(cells: Cells, map: ImportMap): Map<HashType, Uint8Array> {
  const hashes = new Map<HashType, Uint8Array>();
  for (const type of TYPES) {
    const name = map.columns[type];
    const text = name === undefined ? '' : cell(cells, name);
    if (name === undefined || text === '') continue;
    hashes.set(type, hexBytes(name, text, HASH_TYPES[type].bytes));
  }
  if (hashes.size === 0) throw new Refusal('(hash columns)', 'the row has no hash');
  return hashes;
}

function readClassification(cells: Cells, map: ImportMap): { scheme: number; code: number } {
  const name = map.columns.classification;
  const value = cell(cells, name);
  if (!Object.hasOwn(map.classifications, value)) {
    throw new Refusal(name, value === '' ? 'is empty' : 'is a value that the map does not name');
  }
  return map.classifications[value]!;
}

function readVerifications(cells: Cells, map: ImportMap): number {
  const name = map.columns.verifications;
  if (name === undefined) return map.verifications;
  const text = cell(cells, name);
  if (!/^\d{1,9}$/.test(text)) throw new Refusal(name, 'is not a whole number');
  return Math.min(255, Number(text));
}

function readItemId(cells: Cells, name: string | undefined): Uint8Array | undefined {
  const text = name === undefined ? '' : cell(cells, name).replaceAll('-', '');
  return name === undefined || text === '' ? undefined : hexBytes(name, text, 16);
}

function readText(cells: Cells, name: string | undefined, limit: number): string | undefined {
  const text = name === undefined ? '' : cell(cells, name);
  if (name === undefined || text === '') return undefined;
  if (Buffer.byteLength(text) > limit) throw new Refusal(name, `is longer than ${limit} bytes`);
  return text;
}

function hexBytes(name: string, text: string, length: number): Uint8Array {
  if (!/^[0-9a-fA-F]*$/.test(text)) throw new Refusal(name, `is not ${length * 2} hexadecimal digits`);
  if (text.length !== length * 2) {
    throw new Refusal(name, `has ${text.length} hexadecimal digits, expected ${length * 2}`);
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function cell(cells: Cells, name: string): string {
  return (cells[name] ?? '').trim();
}
