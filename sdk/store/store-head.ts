import { BodyReader, BodyWriter, damaged } from './body.js';
import { getSealed, putSealed, SealedKind, type Sealing } from './sealed-file.js';

/** What the ledger must at least hold: its sequence, and the keyed digest of all that it holds. */
export interface LedgerMark {
  readonly sequence: number;
  readonly digest: Uint8Array;
}

const PLACE = { name: 'store.head', kind: SealedKind.storeHead, context: 'store.head' } as const;

/**
 * The authenticated watermarks outside database and lists: how far each list, each document and the ledger had
 * come. Whoever puts an older file back, or deletes one, contradicts it. Written after what it vouches for,
 * so that a crash leaves it behind, never ahead.
 */
export class StoreHead {
  readonly #sealing: Sealing;
  readonly #directory: string;
  #lists = new Map<string, number>();
  #documents = new Map<string, number>();
  #ledger: LedgerMark = { sequence: 0, digest: new Uint8Array(32) };

  private constructor(sealing: Sealing, directory: string) {
    this.#sealing = sealing;
    this.#directory = directory;
  }

  /** The first store head; part of creating a store. */
  static async create(sealing: Sealing, directory: string): Promise<StoreHead> {
    const head = new StoreHead(sealing, directory);
    await head.#write();
    return head;
  }

  static async load(sealing: Sealing, directory: string): Promise<StoreHead> {
    const head = new StoreHead(sealing, directory);
    await head.refresh();
    return head;
  }

  /** Reads it again: a reader beside a writer does so before each load. */
  async refresh(): Promise<void> {
    const body = await getSealed(this.#sealing, { directory: this.#directory, ...PLACE });
    if (body === undefined) throw damaged('store.head', 'it is gone');
    const reader = new BodyReader(body, 'store.head');
    this.#ledger = { sequence: reader.u64(), digest: reader.raw(32).slice() };
    this.#lists = takeMap(reader);
    this.#documents = takeMap(reader);
    reader.end();
  }

  listSequence(origin: string): number {
    return this.#lists.get(origin) ?? 0;
  }

  documentVersion(key: string): number {
    return this.#documents.get(key) ?? 0;
  }

  get ledger(): LedgerMark {
    return this.#ledger;
  }

  /** 0 forgets the list. */
  setList(origin: string, sequence: number): Promise<void> {
    if (sequence === 0) this.#lists.delete(origin);
    else this.#lists.set(origin, sequence);
    return this.#write();
  }

  setDocument(key: string, version: number): Promise<void> {
    this.#documents.set(key, version);
    return this.#write();
  }

  setLedger(mark: LedgerMark): Promise<void> {
    this.#ledger = mark;
    return this.#write();
  }

  #write(): Promise<void> {
    const body = new BodyWriter().u64(this.#ledger.sequence).raw(this.#ledger.digest);
    putMap(body, this.#lists);
    putMap(body, this.#documents);
    return putSealed(this.#sealing, { directory: this.#directory, ...PLACE }, body.finish());
  }
}

function putMap(body: BodyWriter, map: ReadonlyMap<string, number>): void {
  body.u32(map.size);
  for (const [key, value] of map) body.text(key).u64(value);
}

function takeMap(reader: BodyReader): Map<string, number> {
  const map = new Map<string, number>();
  for (let left = reader.u32(); left > 0; left--) map.set(reader.text(), reader.u64());
  return map;
}
