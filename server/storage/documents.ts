/** Versioned small values. The value at the newest version is the compare-and-swap point. */
import { HashfedError, malformed } from '../../sdk/core/index.js';
import { deleteRange, lastRow } from './deps.js';
import type { Kernel, Precondition, Row } from './kernel.js';
import { KeyReader, keyOf, rangeOf } from './keys.js';
import { MAX_VALUE_BYTES } from './limits.js';
import { page } from './paging.js';
import type { Document, DocumentKind, DocumentPut, DocumentStore, Page, PageOptions } from './types.js';

interface KindRow {
  readonly id: number;
  readonly history: boolean;
  readonly droppable: boolean;
}

/** Numbers are part of the format and never reused. */
const KINDS: Record<DocumentKind, KindRow> = {
  root: { id: 1, history: true, droppable: false },
  directory: { id: 2, history: true, droppable: false },
  freshness: { id: 3, history: false, droppable: false },
  liveness: { id: 4, history: false, droppable: false },
  config: { id: 5, history: false, droppable: true },
  'snapshot-index': { id: 6, history: false, droppable: false },
  case: { id: 7, history: false, droppable: true },
  idempotency: { id: 8, history: false, droppable: true },
};

const versionKey = (kind: DocumentKind, name: string, version: number): Uint8Array =>
  keyOf('document', { u8: KINDS[kind].id }, name, { u64: version });

function decode(kind: DocumentKind, { key, value }: Row): Document {
  const reader = new KeyReader(key);
  reader.u8();
  return { kind, name: reader.name(), version: reader.u64(), bytes: value };
}

interface Writes {
  readonly checks: Precondition[];
  readonly puts: Row[];
  readonly deletes: Uint8Array[];
}

/** The writes that put these documents, or undefined when one is not the next version of its name. */
export async function documentWrites(
  kernel: Kernel,
  documents: readonly DocumentPut[],
): Promise<Writes | undefined> {
  const writes: Writes = { checks: [], puts: [], deletes: [] };
  const names = new Set(documents.map(({ kind, name }) => `${kind}\0${name}`));
  if (names.size !== documents.length) malformed('documents', 'names one document twice');
  for (const { kind, name, version, bytes } of documents) {
    if (bytes.length > MAX_VALUE_BYTES) malformed('document', 'is over 4 MiB');
    const newest = await lastRow(kernel, rangeOf('document', { u8: KINDS[kind].id }, name));
    if ((newest ? decode(kind, newest).version : 0) !== version - 1) return undefined;
    const key = versionKey(kind, name, version);
    writes.checks.push({ key, value: null });
    if (newest) writes.checks.push({ key: newest.key, value: newest.value });
    if (newest && !KINDS[kind].history) writes.deletes.push(newest.key);
    writes.puts.push({ key, value: bytes });
  }
  return writes;
}

export class DocumentRepository implements DocumentStore {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  async get(kind: DocumentKind, name: string, version?: number): Promise<Document | undefined> {
    if (version !== undefined) {
      const bytes = await this.#kernel.get(versionKey(kind, name, version));
      return bytes && { kind, name, version, bytes };
    }
    const row = await lastRow(this.#kernel, rangeOf('document', { u8: KINDS[kind].id }, name));
    return row && decode(kind, row);
  }

  async put(...documents: readonly DocumentPut[]): Promise<boolean> {
    const writes = await documentWrites(this.#kernel, documents);
    return writes !== undefined && this.#kernel.transact(writes);
  }

  list(kind: DocumentKind, options: PageOptions = {}): Promise<Page<Document>> {
    return page(this.#kernel, rangeOf('document', { u8: KINDS[kind].id }), options, async (row) => {
      const document = decode(kind, row);
      if (!KINDS[kind].history) return document;
      const next = await this.#kernel.get(versionKey(kind, document.name, document.version + 1));
      return next ? undefined : document;
    });
  }

  versions(kind: DocumentKind, name: string, options: PageOptions = {}): Promise<Page<Document>> {
    const range = rangeOf('document', { u8: KINDS[kind].id }, name);
    return page(this.#kernel, range, options, (row) => decode(kind, row));
  }

  async drop(kind: DocumentKind, name: string): Promise<void> {
    if (!KINDS[kind].droppable) throw new HashfedError('USAGE', `a ${kind} document is never dropped`);
    await deleteRange(this.#kernel, rangeOf('document', { u8: KINDS[kind].id }, name));
  }
}
