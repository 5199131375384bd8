import { HashfedError, MAX_BODY_BYTES } from '../core/index.js';
import { damaged } from './body.js';
import { deriveKey, hmac } from './cipher.js';
import type { StoreParts } from './parts.js';
import { getSealed, putSealed, SealedKind } from './sealed-file.js';
import type { DocumentKind, Documents } from './types.js';

const NONE = new Uint8Array();

/** One sealed file per version: readers beside a writer see them, and a lost one contradicts the store head. */
export class FileDocuments implements Documents {
  readonly #parts: StoreParts;
  readonly #nameKey: Uint8Array;
  readonly #directory: string;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#nameKey = deriveKey(parts.sealing.master, 'member', NONE);
    this.#directory = `${parts.root}/documents`;
  }

  async put(kind: DocumentKind, name: string, version: number, bytes: Uint8Array): Promise<void> {
    // Envelopes carry signatures beside the body; twice the body's limit bounds both.
    if (bytes.length > 2 * MAX_BODY_BYTES) throw new HashfedError('MALFORMED', 'document: too long');
    if (!Number.isSafeInteger(version) || version < 1) throw new HashfedError('MALFORMED', 'version: from 1');
    await this.#parts.gate.run(async () => {
      const present = await this.get(kind, name, version);
      if (present !== undefined) return refuseOther(present, bytes);
      await putSealed(this.#parts.sealing, this.#place(kind, name, version), bytes);
      const key = `${kind}\n${name}`;
      const newest = Math.max(version, this.#parts.head.documentVersion(key));
      await this.#parts.head.setDocument(key, newest);
    });
  }

  get(kind: DocumentKind, name: string, version: number): Promise<Uint8Array | undefined> {
    return getSealed(this.#parts.sealing, this.#place(kind, name, version));
  }

  async versions(kind: DocumentKind, name: string): Promise<number[]> {
    const prefix = `${this.#prefix(kind, name)}-`;
    const files = await this.#parts.sealing.disk.list(this.#directory);
    const found = files.filter((file) => file.startsWith(prefix) && /-[0-9a-f]{14}$/.test(file));
    return found.map((file) => Number.parseInt(file.slice(prefix.length), 16));
  }

  async latest(kind: DocumentKind, name: string) {
    if (this.#parts.gate.readOnly) await this.#parts.head.refresh();
    const known = this.#parts.head.documentVersion(`${kind}\n${name}`);
    const version = (await this.versions(kind, name)).at(-1) ?? 0;
    if (version < known) throw damaged('documents', 'a version that was stored is gone');
    if (version === 0) return undefined;
    const bytes = await this.get(kind, name, version);
    if (bytes === undefined) throw damaged('documents', 'a version that was stored is gone');
    return { version, bytes };
  }

  #prefix(kind: DocumentKind, name: string): string {
    return hmac(this.#nameKey, `${kind}\n${name}`).toString('hex', 0, 16);
  }

  #place(kind: DocumentKind, name: string, version: number) {
    const file = `${this.#prefix(kind, name)}-${version.toString(16).padStart(14, '0')}`;
    const context = `document\n${kind}\n${name}\n${version}`;
    return { directory: this.#directory, name: file, kind: SealedKind.document, context };
  }
}

function refuseOther(present: Uint8Array, bytes: Uint8Array): void {
  if (Buffer.compare(present, bytes) === 0) return;
  throw new HashfedError('EQUIVOCATION', 'another document was stored under this version', {
    evidence: [present, bytes],
  });
}
