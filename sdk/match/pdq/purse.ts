/**
 * How much a query may risk on probing skewed buckets before it scans after all. What probing saves is put
 * aside and pays for attempts that fail; on data where attempts keep failing, only a little is risked now and
 * then, so that in the long run a query costs hardly more than a scan. Unit: the work of one line.
 */

/** Scans' worth of work that failed attempts may waste before any has succeeded. */
const INITIAL_SCANS = 1;
/** Most that is put aside, in scans. */
const MOST_SCANS = 2;
/** Share of what a successful query saved that is put aside. */
const SAVED_SHARE = 0.2;
/** Share of a scan that a query may work in all, and what it may risk when nothing is left. */
const MOST_WORK = 0.4;
const LEAST_RISKED = 0.005;
/** With an empty purse, a failure is followed by so many scans that it was this share of them… */
const WASTED_SHARE = 0.003;
/** …but at most by these. */
const MOST_PAUSED = 32;

export class Purse {
  #scan = 0;
  #held = -1;
  #pause = 0;

  /** Work that the next query may do beyond the `expected`, when a scan is `scan` work; 0 to scan at once. */
  offer(scan: number, expected: number): number {
    if (this.#held < 0) this.#held = INITIAL_SCANS * scan;
    this.#scan = scan;
    const least = LEAST_RISKED * scan;
    const most = Math.max(least, MOST_WORK * scan - expected);
    if (this.#held > least) return Math.ceil(Math.min(this.#held, most));
    if (this.#pause > 0) {
      this.#pause--;
      return 0;
    }
    return Math.ceil(least);
  }

  settle(gaveUp: boolean, work: number): void {
    const change = gaveUp ? -work : SAVED_SHARE * Math.max(0, this.#scan - work);
    this.#held = Math.min(MOST_SCANS * this.#scan, Math.max(0, this.#held + change));
    if (gaveUp) this.#pause = Math.min(MOST_PAUSED, Math.floor(work / (WASTED_SHARE * this.#scan)));
  }
}
