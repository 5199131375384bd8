import { HashfedError } from '../core/index.js';
import { BodyReader, BodyWriter, damaged } from './body.js';
import { MAX_SETTINGS_BYTES } from './limits.js';
import type { StoreParts } from './parts.js';
import { getSealed, putSealed, SealedKind } from './sealed-file.js';
import type { Settings } from './types.js';

/** Its version is kept in the store head under this name, which no document has. */
const MARK = 'settings';

interface Content {
  readonly version: number;
  readonly values: ReadonlyMap<string, Uint8Array>;
}

/** Small named values in one sealed file, replaced at each change: readers beside a writer see them too. */
export class FileSettings implements Settings {
  readonly #parts: StoreParts;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return (await this.#read()).values.get(name);
  }

  put(name: string, value: Uint8Array): Promise<void> {
    return this.#change((values) => values.set(name, value));
  }

  remove(name: string): Promise<void> {
    return this.#change((values) => values.delete(name));
  }

  async names(): Promise<string[]> {
    return [...(await this.#read()).values.keys()].sort();
  }

  #change(change: (values: Map<string, Uint8Array>) => unknown): Promise<void> {
    return this.#parts.gate.run(async () => {
      const before = await this.#read();
      const values = new Map(before.values);
      change(values);
      const version = before.version + 1;
      const body = encode({ version, values });
      if (body.length > MAX_SETTINGS_BYTES) throw new HashfedError('USAGE', 'the settings are full');
      await putSealed(this.#parts.sealing, this.#place(), body);
      await this.#parts.head.setDocument(MARK, version);
    });
  }

  async #read(): Promise<Content> {
    const { gate, head, sealing } = this.#parts;
    if (gate.readOnly) await head.refresh();
    const known = head.documentVersion(MARK);
    const body = await getSealed(sealing, this.#place());
    const content = body === undefined ? { version: 0, values: new Map() } : decode(body);
    if (content.version < known) throw damaged('settings', 'they are gone or were rolled back');
    return content;
  }

  #place() {
    const directory = this.#parts.root;
    return { directory, name: 'settings', kind: SealedKind.settings, context: 'settings' };
  }
}

function encode({ version, values }: Content): Uint8Array {
  const body = new BodyWriter().u64(version).u32(values.size);
  for (const [name, value] of values) body.text(name).bytes(value);
  return body.finish();
}

function decode(body: Uint8Array): Content {
  const reader = new BodyReader(body, 'settings');
  const version = reader.u64();
  const values = new Map<string, Uint8Array>();
  for (let left = reader.u32(); left > 0; left--) values.set(reader.text(), reader.bytes().slice());
  reader.end();
  return { version, values };
}
