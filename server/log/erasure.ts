import {
  decodeLeaf,
  HASH_TYPES,
  HashfedError,
  listOf,
  type OriginSettings,
  parseOrigin,
} from '../../sdk/core/index.js';
import { anchorSizeOf } from './anchors.js';
import type { Engine } from './engine.js';
import { ErasureScan, type PendingErasure } from './erasure-scan.js';

/** Entries that are erased in one turn, so that publishing waits no longer than that. */
const CHUNK = 1000;

/** Whether an open dispute names an entry: then its bytes stay. */
export type IsDisputed = (origin: string, index: number) => boolean;

/**
 * Withdrawn values disappear: the root's `erase_after` after the WITHDRAW, once an anchor lies above it, the ADD gives
 * way to its leaf hash and every snapshot that held it is dropped. The tree, its notes and the set stay as they are.
 */
export class Erasure {
  readonly #engine: Engine;
  readonly #isDisputed: IsDisputed;
  readonly #scans = new Map<string, ErasureScan>();

  constructor(engine: Engine, isDisputed: IsDisputed = () => false) {
    this.#engine = engine;
    this.#isDisputed = isDisputed;
  }

  /** Erases what is due in every list; resolves to how many entries went. Safe when cut off anywhere. */
  async sweep(signal?: AbortSignal): Promise<number> {
    let erased = 0;
    for (const origin of this.#engine.lists.origins()) erased += await this.#sweepList(origin, signal);
    return erased;
  }

  async #sweepList(origin: string, signal: AbortSignal | undefined): Promise<number> {
    const anchor = anchorSizeOf(this.#engine.lists.get(origin)?.head);
    const settings = settingsFor(this.#engine, origin);
    if (anchor === undefined || settings === undefined || settings.purpose === 'events') return 0;
    const scan = await this.#scanTo(origin, anchor, signal);
    const latestMs = this.#engine.clock.nowMs() - settings.eraseAfterMs;
    const due = scan.take(({ timeMs, target }) => timeMs <= latestMs && !this.#isDisputed(origin, target));
    let erased = 0;
    for (let at = 0; at < due.length; at += CHUNK) {
      try {
        erased += await this.#erase(origin, due.slice(at, at + CHUNK), signal);
      } catch (error) {
        this.#scans.delete(origin);
        throw error;
      }
    }
    if (erased > 0) this.#engine.log.info('erasure.done', { origin, count: erased });
    return erased;
  }

  /** Only what lies below the anchor is looked at: a WITHDRAW above it does not count yet. */
  async #scanTo(origin: string, anchor: number, signal: AbortSignal | undefined): Promise<ErasureScan> {
    const scan = this.#scans.get(origin) ?? new ErasureScan();
    if (scan.size < anchor) {
      const range = { from: scan.size, to: anchor, ...(signal && { signal }) };
      this.#scans.delete(origin);
      for await (const bundle of this.#engine.storage.logs.read(origin, range)) scan.append(bundle);
    }
    this.#scans.set(origin, scan);
    return scan;
  }

  /** Snapshots first: cut off in between, the entries are still there and are found again. */
  async #erase(
    origin: string,
    due: readonly PendingErasure[],
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { storage, turns } = this.#engine;
    const newest = Math.max(...due.map(({ index }) => index));
    return turns.run(async () => {
      const targets = await this.#effective(origin, due);
      if (targets.length === 0) return 0;
      for (const held of await storage.parts.versions('snapshot', origin))
        if (held.version <= newest) await storage.parts.drop(held, { purge: true });
      return storage.logs.erase(origin, targets, signal);
    });
  }

  /** What a WITHDRAW can name with effect: a well-formed ADD of the list's own type. Others are never erased. */
  async #effective(origin: string, due: readonly PendingErasure[]): Promise<number[]> {
    const { type } = parseOrigin(origin);
    const number = type === 'events' ? 0 : HASH_TYPES[type].number;
    const targets: number[] = [];
    for (const { target } of due) if (await this.#isAddOf(origin, target, number)) targets.push(target);
    return targets.sort((a, b) => a - b);
  }

  async #isAddOf(origin: string, target: number, hashType: number): Promise<boolean> {
    const range = { from: target, to: target + 1 };
    for await (const { bytes } of this.#engine.storage.logs.read(origin, range)) {
      try {
        const leaf = decodeLeaf(bytes.slice(2));
        return leaf.kind === 'add' && leaf.hashType === hashType;
      } catch (error) {
        if (error instanceof HashfedError) return false;
        throw error;
      }
    }
    return false;
  }
}

/** The rules of a list; of a closed generation those of the one that took over. */
function settingsFor({ roots }: Engine, origin: string): OriginSettings | undefined {
  const list = listOf(parseOrigin(origin));
  for (const root of roots.all())
    for (const settings of root.origins.values()) if (listOf(settings.origin) === list) return settings;
  return undefined;
}
