import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { HashfedError } from '../../../sdk/core/index.js';

const column = z.string().min(1).max(256);
const byte = z.number().int().min(1).max(255);

/**
 * What the columns of a source mean. Classification values are listed one by one: a value that is missing here is
 * refused, and there is no wildcard, because a wrong guess reports an innocent person.
 */
export const ImportMapSchema = z.strictObject({
  format: z.literal(1),
  columns: z
    .strictObject({
      md5: column.optional(),
      sha1: column.optional(),
      sha256: column.optional(),
      pdq: column.optional(),
      photodna: column.optional(),
      item_id: column.optional(),
      classification: column,
      verifications: column.optional(),
      label: column.optional(),
      series: column.optional(),
      assessed_by: column.optional(),
    })
    .refine((c) => c.md5 ?? c.sha1 ?? c.sha256 ?? c.pdq ?? c.photodna, 'names no hash column'),
  classifications: z
    .record(z.string().min(1).max(256), z.strictObject({ scheme: byte, code: byte }))
    .refine((table) => Object.keys(table).length > 0, 'is empty')
    .refine((table) => !Object.hasOwn(table, '*'), 'has no wildcard: name each value'),
  /** Verifications of rows without that column, 0–255. */
  verifications: z.number().int().min(0).max(255).default(0),
  delimiter: z.string().length(1).default(','),
});

export type ImportMap = z.infer<typeof ImportMapSchema>;

/** Reads a map file; throws USAGE naming the field. */
export async function loadImportMap(file: string): Promise<ImportMap> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read the map ${file}`, { field: 'map', cause });
  });
  return parseImportMap(text, file);
}

/** Parses a map; `name` is what messages call it. Throws USAGE naming the field. */
export function parseImportMap(text: string, name: string): ImportMap {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new HashfedError('USAGE', `${name}: is not JSON`, { field: 'map', cause });
  }
  const parsed = ImportMapSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || '(top level)';
  throw new HashfedError('USAGE', `${name}: ${field}: ${issue?.message ?? 'is not valid'}`, { field });
}
