/**
 * What one key alone has done since an anchor (docs/spec/signatures.md, "The limit for one key"), for every
 * anchor that a verifier may still adopt: one mark at each SEAL, so that an anchor cosigned late can be judged
 * without replaying.
 */
export interface Mark {
  /** SEAL index + 1; 0 for the start of the generation. */
  readonly size: number;
  readonly timeMs: number;
  readonly setCount: number;
  /** Running totals up to this size. */
  readonly added: number;
  readonly readded: number;
  readonly amended: number;
  readonly withdrawn: number;
}

/** A HOLD as the limit for one key sees it. */
export interface HeldRange {
  /** Of the HOLD leaf. */
  readonly index: number;
  readonly from: number;
  readonly to: number;
  /** The later of its own time and that of the newest SEAL before it: ages are measured to this. */
  readonly atMs: number;
}

/** Totals since a mark. Erased leaves count as additions. */
export interface ChangesSince {
  readonly added: number;
  /** Additions with the re-add flag. */
  readonly readded: number;
  readonly amended: number;
  /** All effective WITHDRAWs, and those of records older than the mark. */
  readonly withdrawn: number;
  readonly withdrawnOld: number;
}

export class RunningCounts {
  added = 0;
  readded = 0;
  amended = 0;
  withdrawn = 0;
  readonly marks: Mark[] = [];
  readonly held: HeldRange[] = [];
  /** `below[k]`: WITHDRAWs whose target lies below mark k and in no earlier one. One longer than `marks`. */
  readonly below: number[] = [0];

  /** Counting from the start of a generation. */
  static fresh(): RunningCounts {
    const counts = new RunningCounts();
    counts.mark(0, 0, 0);
    return counts;
  }

  fork(): RunningCounts {
    const copy = new RunningCounts();
    copy.added = this.added;
    copy.readded = this.readded;
    copy.amended = this.amended;
    copy.withdrawn = this.withdrawn;
    for (const mark of this.marks) copy.marks.push(mark);
    for (const range of this.held) copy.held.push(range);
    copy.below.length = 0;
    for (const n of this.below) copy.below.push(n);
    return copy;
  }

  withdraw(target: number): void {
    this.withdrawn++;
    const k = this.firstAbove(target);
    this.below[k] = (this.below[k] ?? 0) + 1;
  }

  /** A SEAL closes `size` entries. */
  mark(size: number, timeMs: number, setCount: number): void {
    const { added, readded, amended, withdrawn } = this;
    this.marks.push({ size, timeMs, setCount, added, readded, amended, withdrawn });
    this.below.push(0);
  }

  /** Undefined unless a mark of exactly this size is kept. */
  at(size: number): Mark | undefined {
    const mark = this.marks[this.firstAbove(size - 1)];
    return mark?.size === size ? mark : undefined;
  }

  since(mark: Mark): ChangesSince {
    let older = 0;
    for (let k = 0, to = this.firstAbove(mark.size - 1); k <= to; k++) older += this.below[k]!;
    return {
      added: this.added - mark.added,
      readded: this.readded - mark.readded,
      amended: this.amended - mark.amended,
      withdrawn: this.withdrawn - mark.withdrawn,
      withdrawnOld: older - mark.withdrawn,
    };
  }

  /** Drops the marks below `size`, as no anchor goes back. The newest mark always stays. */
  forgetBelow(size: number): void {
    const drop = Math.min(this.firstAbove(size - 1), this.marks.length - 1);
    if (drop <= 0) return;
    let older = 0;
    for (let k = 0; k <= drop; k++) older += this.below[k]!;
    this.marks.splice(0, drop);
    this.below.splice(0, drop + 1, older);
    const kept = this.held.filter((range) => range.index >= this.marks[0]!.size);
    this.held.splice(0, this.held.length, ...kept);
  }

  /** The first mark whose size is above `index`; `marks.length` if there is none. */
  private firstAbove(index: number): number {
    let low = 0;
    let high = this.marks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.marks[middle]!.size > index) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
