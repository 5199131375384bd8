import { IndexPages } from './index-pages.js';
import { RecordArena } from './record-arena.js';
import { RowOrder } from './row-order.js';
import type { SetPlan } from './set-plan.js';
import type { Sha256 } from './sha256.js';

/** The resident set of one list: records, where each log index lives, their order, and bucket digests. */
export class ListSet {
  readonly sha: Sha256;
  readonly arena: RecordArena;
  readonly index = new IndexPages();
  order = RowOrder.empty();
  /** 2^order.bits × 32 bytes; empty while bucket_bits is unknown. */
  digests: Uint8Array = new Uint8Array(0);
  /** Records, live erased leaves included. */
  count = 0;
  /** Live erased leaves: only while a log is being audited SEAL by SEAL. */
  erasedLive = 0;
  /** Grows with each change; a fork of an older version is void. */
  version = 0;
  /** Rows that left in the last change: kept readable until the next. */
  private leaving: Uint32Array = new Uint32Array(0);

  constructor(sha: Sha256, hashLength: number) {
    this.sha = sha;
    this.arena = new RecordArena(hashLength);
  }

  apply(plan: SetPlan): void {
    this.version++;
    for (const row of this.leaving) this.arena.release(row);
    this.leaving = plan.removed;
    if (plan.order !== undefined) this.order = plan.order;
    else this.order.replace(plan.touched);
    this.digests = plan.digests;
  }

  compact(): void {
    this.version++;
    this.leaving = new Uint32Array(0);
    const rows = this.order.all();
    this.arena.arrange(rows);
    this.order.renumber();
    for (let row = 0; row < rows.length; row++) this.index.set(this.arena.addIndex(row), row + 1);
  }
}
