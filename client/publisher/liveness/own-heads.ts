import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { fromHex, HashfedError, toHex } from '../../../sdk/core/index.js';
import { recordDisk } from '../signer/index.js';

const FILE = 'own-heads.json';
/** A root names at most 256 lists; notes are at most 64 KiB. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** What our own signers released last for a list, as we handed it in. Never taken from what a server shows. */
export interface OwnHead {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** The note, verbatim. */
  readonly note: Uint8Array;
}

const Schema = z.strictObject({
  format: z.literal(1),
  lists: z
    .array(
      z.strictObject({
        origin: z.string().min(1).max(128),
        size: z.number().int().min(1),
        root: z.string().regex(/^[0-9a-f]{64}$/),
        note: z.string().max(65_536),
      }),
    )
    .max(4096),
});

/** Where a publisher's own heads lie: beside the signers' records, in no backup. */
export const ownHeadsFile = (records: string): string => join(records, FILE);

/** Our own heads by origin; empty before the first publication. Throws MALFORMED for a damaged file. */
export async function loadOwnHeads(records: string): Promise<Map<string, OwnHead>> {
  const bytes = await recordDisk.read(ownHeadsFile(records));
  if (bytes === undefined) return new Map();
  if (bytes.length > MAX_FILE_BYTES) throw damaged();
  const parsed = Schema.safeParse(safeJson(bytes));
  if (!parsed.success) throw damaged();
  const heads = parsed.data.lists.map(({ origin, size, root, note }) => ({
    origin,
    size,
    root: fromHex(root),
    note: new TextEncoder().encode(note),
  }));
  return new Map(heads.map((head) => [head.origin, head]));
}

/** Remembers heads durably, in one write; one that is smaller than what is held changes nothing. */
export async function rememberOwnHeads(records: string, heads: Iterable<OwnHead>): Promise<void> {
  const file = ownHeadsFile(records);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const held = await loadOwnHeads(records);
  for (const head of heads) if ((held.get(head.origin)?.size ?? 0) <= head.size) held.set(head.origin, head);
  const lists = [...held.values()]
    .sort((a, b) => (a.origin < b.origin ? -1 : 1))
    .map(({ origin, size, root, note }) => ({
      origin,
      size,
      root: toHex(root),
      note: new TextDecoder().decode(note),
    }));
  await recordDisk.replace(
    file,
    new TextEncoder().encode(`${JSON.stringify({ format: 1, lists }, null, 2)}\n`),
  );
}

function damaged(): HashfedError {
  return new HashfedError('MALFORMED', `${FILE} is damaged; hand it the newest signed files with --handed`, {
    field: 'records_dir',
  });
}

function safeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
