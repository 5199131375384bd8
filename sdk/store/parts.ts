import { damaged } from './body.js';
import type { WriteGate } from './gate.js';
import { decodeHeadFile, type HeadFile } from './list-codec.js';
import { listDirectory } from './list-paths.js';
import { getSealed, SealedKind, type Sealing } from './sealed-file.js';
import type { StoreHead } from './store-head.js';

/** What the repositories of one open store share. */
export interface StoreParts {
  readonly sealing: Sealing;
  readonly root: string;
  readonly gate: WriteGate;
  readonly head: StoreHead;
}

export function headPlace(parts: StoreParts, origin: string) {
  const directory = listDirectory(parts.root, origin);
  return { directory, name: 'head', kind: SealedKind.listHead, context: `${origin}\nhead` };
}

export async function readHeadFile(parts: StoreParts, origin: string): Promise<HeadFile | undefined> {
  const body = await getSealed(parts.sealing, headPlace(parts, origin));
  if (body === undefined) return undefined;
  const file = decodeHeadFile(body);
  if (file.origin !== origin) throw damaged(origin, 'its head names another list');
  return file;
}
