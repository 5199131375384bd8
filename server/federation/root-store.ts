import { HashfedError } from '../../sdk/core/index.js';
import type { Documents, Store } from '../../sdk/store/index.js';
import type { Engine } from '../log/index.js';

const PREFIX = 'members/';
type Kind = Parameters<Documents['get']>[0];

/**
 * Publisher roots in the server's storage, as the SDK's root book reads and writes them: one chain, verified by the
 * book against the pinned fingerprint and by the server against its own rules, kept once and served verbatim.
 */
export class RootDocuments implements Documents {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async put(kind: Kind, name: string, _version: number, bytes: Uint8Array): Promise<void> {
    requireRoot(kind);
    await this.#engine.roots.putAs(memberOf(name), bytes, () => undefined);
  }

  async get(kind: Kind, name: string, version: number): Promise<Uint8Array | undefined> {
    requireRoot(kind);
    return (await this.#engine.storage.documents.get('root', memberOf(name), version))?.bytes;
  }

  /** None of any other kind: the root book then leaves keeping evidence to the mirror. */
  async versions(kind: Kind, name: string): Promise<number[]> {
    if (kind !== 'root') return [];
    const newest = this.#engine.roots.newest(memberOf(name))?.version ?? 0;
    return Array.from({ length: newest }, (_, i) => i + 1);
  }

  async latest(kind: Kind, name: string): Promise<{ version: number; bytes: Uint8Array } | undefined> {
    requireRoot(kind);
    const stored = await this.#engine.storage.documents.get('root', memberOf(name));
    return stored && { version: stored.version, bytes: stored.bytes };
  }
}

/** What the SDK's procedures may use of a hoster's store in a mirror: its documents. The lists lie in the server's. */
export function storeOf(documents: Documents): Store {
  const held: Partial<Store> = { readOnly: false, unclean: false, documents };
  return new Proxy(held as Store, {
    get: (of, name) => {
      if (Object.hasOwn(of, name)) return Reflect.get(of, name);
      throw new HashfedError('INTERNAL', 'a mirror keeps nothing but publisher roots in this store');
    },
  });
}

function memberOf(name: string): string {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}

function requireRoot(kind: Kind): void {
  if (kind !== 'root')
    throw new HashfedError('STORAGE_FAILED', 'a mirror keeps publisher roots here, no other kind');
}
