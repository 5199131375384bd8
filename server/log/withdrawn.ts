import { createHmac } from 'node:crypto';
import { HashfedError, parseOrigin } from '../../sdk/core/index.js';
import type { DocumentPut } from '../storage/index.js';
import type { LogDeps } from './deps.js';

/** Reasons that say the hash should not have been listed; its next ADD must say that it re-adds (log format §5). */
const COUNTS_AS_WRONG = new Set([1, 2, 8, 9, 10]);
const MAC_BYTES = 16;
/** One document for each first half byte, so that a change rewrites a sixteenth. */
const SHARDS = 16;

type Mark = boolean;

/** What a judged range would change in the memory; nothing is remembered before `WithdrawnMemory.remember`. */
export class WithdrawnChanges {
  readonly marks = new Map<string, Mark>();
}

/**
 * Remembers which hashes of each list were last withdrawn as wrong or not illegal, as HMAC(local key, hash) cut to
 * 16 bytes: erasure removes the hashes themselves, and a stolen store must not tell them.
 */
export class WithdrawnMemory {
  readonly #deps: LogDeps;
  readonly #key: Uint8Array;
  readonly #lists = new Map<string, { macs: Set<string>; versions: number[] }>();

  private constructor(deps: LogDeps, key: Uint8Array) {
    this.#deps = deps;
    this.#key = key;
  }

  /** Reads what is stored. `key`: 32 bytes that only this server holds. */
  static async open(deps: LogDeps, key: Uint8Array): Promise<WithdrawnMemory> {
    const memory = new WithdrawnMemory(deps, key);
    for await (const { origin } of deps.storage.logs.heads())
      for (let shard = 0; shard < SHARDS; shard += 1) await memory.#load(origin, shard);
    return memory;
  }

  async #load(origin: string, shard: number): Promise<void> {
    const stored = await this.#deps.storage.documents.get('config', documentName(origin, shard));
    if (stored === undefined) return;
    if (stored.bytes.length % MAC_BYTES !== 0)
      throw new HashfedError('STORAGE_FAILED', 'the memory of withdrawn hashes is damaged', { origin });
    const { macs, versions } = this.#list(origin);
    versions[shard] = stored.version;
    const packed = Buffer.from(stored.bytes);
    for (let at = 0; at < packed.length; at += MAC_BYTES)
      macs.add(packed.toString('latin1', at, at + MAC_BYTES));
  }

  #list(origin: string): { macs: Set<string>; versions: number[] } {
    const held = this.#lists.get(origin) ?? { macs: new Set<string>(), versions: [] };
    this.#lists.set(origin, held);
    return held;
  }

  /** Whether the last withdrawal of this hash said that it was wrong, the changes included. */
  has(origin: string, hash: Uint8Array, changes: WithdrawnChanges): boolean {
    const { macs } = this.#list(origin);
    if (macs.size === 0 && changes.marks.size === 0) return false;
    const mac = this.#mac(hash);
    return changes.marks.get(mac) ?? macs.has(mac);
  }

  noteWithdrawal(hash: Uint8Array, reason: number, changes: WithdrawnChanges): void {
    changes.marks.set(this.#mac(hash), COUNTS_AS_WRONG.has(reason));
  }

  /** Documents for the transaction that commits the range. */
  documents(origin: string, changes: WithdrawnChanges): DocumentPut[] {
    const { macs, versions } = this.#list(parseOrigin(origin).text);
    const moved = [...changes.marks].filter(([mac, wrong]) => macs.has(mac) !== wrong);
    const shards = new Set(moved.map(([mac]) => shardOf(mac)));
    return [...shards].map((shard) => {
      const kept = [...macs].filter((mac) => shardOf(mac) === shard && changes.marks.get(mac) !== false);
      const added = moved.filter(([mac, wrong]) => wrong && shardOf(mac) === shard).map(([mac]) => mac);
      const bytes = new Uint8Array(Buffer.from([...kept, ...added].join(''), 'latin1'));
      const version = (versions[shard] ?? 0) + 1;
      return { kind: 'config', name: documentName(origin, shard), version, bytes };
    });
  }

  /** After the transaction: `documents` are the ones that it stored. */
  remember(origin: string, changes: WithdrawnChanges, documents: readonly DocumentPut[]): void {
    const { macs, versions } = this.#list(origin);
    for (const [mac, wrong] of changes.marks) {
      if (wrong) macs.add(mac);
      else macs.delete(mac);
    }
    for (const { name, version } of documents) versions[Number.parseInt(name.slice(-1), 16)] = version;
  }

  #mac(hash: Uint8Array): string {
    return createHmac('sha256', this.#key).update(hash).digest().toString('latin1', 0, MAC_BYTES);
  }
}

function shardOf(mac: string): number {
  return mac.charCodeAt(0) >> 4;
}

function documentName(origin: string, shard: number): string {
  return `withdrawn/${origin}/${shard.toString(16)}`;
}
