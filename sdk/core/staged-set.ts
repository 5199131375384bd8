import { DEAD_CODE, ERASED_CODE, IndexPages } from './index-pages.js';
import type { ListSet } from './list-set.js';
import { U32List } from './u32-list.js';

/**
 * A fork of a set: what leaves from `from` on have done to it. New rows are taken from the same arena, so
 * that committing moves no bytes; the base is only read.
 */
export class StagedSet {
  readonly base: ListSet;
  readonly from: number;
  next: number;
  /** Live records, erased ones included. */
  live: number;
  erasedLive: number;
  /** Codes of indexes from `from` on. */
  readonly own = new IndexPages();
  /** Codes that differ from the base's below `from`: dead, or the row of an amended record. */
  readonly changed = new Map<number, number>();
  /** Rows of the base that are live no longer. */
  readonly removed = new U32List();

  constructor(base: ListSet, from: number) {
    this.base = base;
    this.from = from;
    this.next = from;
    this.live = base.count;
    this.erasedLive = base.erasedLive;
  }

  /** The code of a log index: dead, erased or row + 1. */
  code(index: number): number {
    if (index >= this.from) return index < this.next ? this.own.get(index) : DEAD_CODE;
    return this.changed.get(index) ?? this.base.index.get(index);
  }

  /** A judged ADD at `b[at…]`. */
  add(b: Uint8Array, at: number, index: number): void {
    this.own.set(index, this.base.arena.takeAdd(b, at, index) + 1);
    this.live++;
  }

  addErased(index: number): void {
    this.own.set(index, ERASED_CODE);
    this.live++;
    this.erasedLive++;
  }

  /** False if the target is dead. */
  withdraw(target: number): boolean {
    const code = this.code(target);
    if (code === DEAD_CODE) return false;
    this.live--;
    if (code === ERASED_CODE) this.erasedLive--;
    else this.leave(target, code - 1);
    if (target >= this.from) this.own.set(target, DEAD_CODE);
    else this.changed.set(target, DEAD_CODE);
    return true;
  }

  /** A judged AMEND at `b[at…]`. False if the target is dead. */
  amend(target: number, b: Uint8Array, at: number, index: number): boolean {
    const code = this.code(target);
    if (code === DEAD_CODE) return false;
    if (code === ERASED_CODE) return true;
    let row = code - 1;
    if (this.ownedByBase(target)) {
      this.removed.push(row);
      row = this.base.arena.takeCopy(row);
      this.changed.set(target, row + 1);
    }
    this.base.arena.amend(row, b, at, index);
    return true;
  }

  /** Live indexes in [from, to), ascending, until `visit` answers false. */
  scan(from: number, to: number, visit: (index: number, code: number) => boolean): void {
    let going = true;
    const below = Math.min(to, this.from);
    if (from < below)
      this.base.index.scan(from, below, (index, old) => {
        const code = this.changed.get(index) ?? old;
        going = code === DEAD_CODE || visit(index, code);
        return going;
      });
    if (going && to > this.from) this.own.scan(Math.max(from, this.from), Math.min(to, this.next), visit);
  }

  /** Gives back every row taken. */
  release(): void {
    const { arena } = this.base;
    this.own.scan(this.from, this.next, (_, code) => {
      if (code !== ERASED_CODE) arena.release(code - 1);
      return true;
    });
    for (const code of this.changed.values()) if (code !== DEAD_CODE) arena.release(code - 1);
  }

  /** Moves the codes into the base; its order and digests come from the plan. */
  settle(): void {
    this.base.index.absorb(this.own);
    for (const [index, code] of this.changed) this.base.index.set(index, code);
    this.base.count = this.live;
    this.base.erasedLive = this.erasedLive;
  }

  private ownedByBase(target: number): boolean {
    return target < this.from && !this.changed.has(target);
  }

  private leave(target: number, row: number): void {
    if (this.ownedByBase(target)) this.removed.push(row);
    else this.base.arena.release(row);
  }
}
