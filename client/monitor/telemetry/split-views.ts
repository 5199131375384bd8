import type { SyncStateRecord } from '../../../proto/gen/hashfed/v1/telemetry_exchange.js';

/** One size of one list of which installations report different roots: somebody was shown another history, or lies. */
export interface SplitView {
  readonly list: string;
  readonly size: number;
  /** Who holds which root; 64 hexadecimal digits each. */
  readonly views: readonly { readonly root: string; readonly holders: readonly Holder[] }[];
}

interface Holder {
  readonly hoster: string;
  /** Which of its installations, 32 hexadecimal digits. */
  readonly instance: string;
}

/** Sizes that are remembered, the oldest give way: a member may report as many as it likes. */
const MAX_SIZES = 65_536;
/** Roots of one size that are told apart; two make a split. */
const MAX_ROOTS = 16;

/** States of one list and size that are compared. One honest size has one root, whoever reports it. */
type Views = Map<string, Map<string, Holder>>;

/**
 * Compares roots by (list, size) over all that it is given, also what was replaced since by a larger size: hosters
 * rarely stand at one size at one moment. What a member merely says proves no fork; its signed note does.
 */
export class SplitViews {
  /** By `list size`, then root, then `hoster instance`. */
  readonly #views = new Map<string, Views>();

  /** The split that this state belongs to, if there is one. */
  add({ member, instanceId, state }: SyncStateRecord): SplitView | undefined {
    if (state === undefined || state.size === 0n) return undefined;
    const key = `${state.origin} ${state.size}`;
    const views: Views = this.#views.get(key) ?? new Map();
    this.#keep(key, views);
    const root = hex(state.root);
    const holder = { hoster: member, instance: hex(instanceId) };
    const holders = views.get(root) ?? new Map<string, Holder>();
    holders.set(`${holder.hoster} ${holder.instance}`, holder);
    if (views.has(root) || views.size < MAX_ROOTS) views.set(root, holders);
    return views.size > 1 ? splitOf(state.origin, Number(state.size), views) : undefined;
  }

  #keep(key: string, views: Views): void {
    this.#views.set(key, views);
    if (this.#views.size <= MAX_SIZES) return;
    const [oldest] = this.#views.keys();
    this.#views.delete(oldest ?? key);
  }

  /** Every split, by list and size. */
  all(): SplitView[] {
    return [...this.#views]
      .filter(([, views]) => views.size > 1)
      .map(([key, views]) => {
        const [list = '', size] = key.split(' ');
        return splitOf(list, Number(size), views);
      })
      .sort((a, b) => (a.list === b.list ? a.size - b.size : a.list < b.list ? -1 : 1));
  }
}

/** Of states read at one moment. */
export function splitViews(records: readonly SyncStateRecord[]): SplitView[] {
  const seen = new SplitViews();
  for (const record of records) seen.add(record);
  return seen.all();
}

function splitOf(list: string, size: number, views: Views): SplitView {
  const sorted = [...views].sort(([a], [b]) => (a < b ? -1 : 1));
  return { list, size, views: sorted.map(([root, holders]) => ({ root, holders: [...holders.values()] })) };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
