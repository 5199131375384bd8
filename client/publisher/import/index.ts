export { csvImporter } from './csv.js';
export { type ImportMap, ImportMapSchema, loadImportMap, parseImportMap } from './map.js';
export { refusedRowsWriter } from './refused.js';
export { readRow } from './row.js';
export type { ImportEvent, ImportedItem, Importer, RefusedRow } from './types.js';
