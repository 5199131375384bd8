import { describe, expect, it } from 'vitest';
import { MemoryDisk, memoryDatabase, type Store } from '../../sdk/store/index.js';
import { type FaultMode, Faults } from '../contract/store/faulty.js';
import {
  bundle,
  entry,
  head,
  ORIGIN,
  type Place,
  placeOn,
  rebuild,
  snapshot,
} from '../contract/store/support.js';

/** One acknowledged step each: when it resolves, it must survive everything. */
const STEPS: readonly ((store: Store) => Promise<unknown>)[] = [
  (s) => rebuild(s.list(ORIGIN), 20, 2),
  (s) => s.list(ORIGIN).commitDelta({ bundles: [bundle(20, 3)], newHead: head(23) }),
  (s) => s.list(ORIGIN).putStatements(Uint8Array.of(1), Uint8Array.of(2)),
  (s) => s.journal.add([entry(1), entry(2)]),
  (s) => s.documents.put('root', 'police.example', 1, Uint8Array.of(1)),
  (s) => s.settings.put('cursor', Uint8Array.of(1)),
  async (s) => {
    s.counters.add('w', 'objects', 5);
    await s.counters.flush();
  },
  (s) =>
    s.spool.enqueue('w', 0, (slot, { counts }) => Uint8Array.of(slot.sequence, counts.get('objects') ?? 0)),
  (s) => s.journal.release(ORIGIN, [1], 'withdrawn'),
  (s) => rebuild(s.list(ORIGIN), 30, 2),
  (s) => s.list(ORIGIN).commitDelta({ bundles: [bundle(30, 1)], newHead: head(31) }),
  (s) => s.documents.put('root', 'police.example', 2, Uint8Array.of(2)),
  (s) => mergeBegins(s),
  (s) => merging.get(s)!(),
];

/** How to end the merge that is under way in a store. */
const merging = new WeakMap<Store, () => Promise<void>>();

/** Begins a merge and commits a delta meanwhile. */
async function mergeBegins(store: Store): Promise<void> {
  const list = store.list(ORIGIN);
  const view = (await list.load())!;
  const options = { hashBytes: 32, bucketBits: 0, rowCount: 0, folds: view.sequence };
  const writer = await list.beginRebuild(options);
  merging.set(store, async () => {
    await writer.commit(view.head);
    await view.close();
  });
  await list.commitDelta({ bundles: [bundle(31, 1)], newHead: head(32) });
}

/** Everything that a store holds, read through its own checks. */
async function checkAll(store: Store) {
  await store.list(ORIGIN).scrub();
  const entries = [...(await store.journal.byState('blocked')), ...(await store.journal.byState('released'))];
  const history = await store.journal.history();
  expect(history.map((change) => change.sequence)).toEqual(history.map((_, i) => i + 1));
  return {
    list: await snapshot(store),
    journal: entries.map((each) => [each.ref, each.state]).sort(),
    changes: history.length,
    spool: (await store.spool.list()).map((each) => [each.sequence, [...each.bytes]]),
    next: (await store.spool.next()).sequence,
    counts: [...(await store.counters.read('w')).counts],
    cursor: await store.settings.get('cursor'),
    root: await store.documents.latest('root', 'police.example'),
  };
}

/** Sequences count commits that were lost too, and so may run ahead of a run without faults. */
function plain(state: Awaited<ReturnType<typeof checkAll>>) {
  return { ...state, list: state.list === undefined ? undefined : { ...state.list, sequence: 0 } };
}

async function statesWithoutFaults() {
  const place = placeOn('/store', new MemoryDisk(), memoryDatabase());
  await using store = await place.open();
  const states = [plain(await checkAll(store))];
  for (const step of STEPS) {
    await step(store);
    states.push(plain(await checkAll(store)));
  }
  return states;
}

/** Runs the steps with one fault; answers how many were acknowledged. */
async function runWith(faults: Faults, disk: MemoryDisk, content: Map<string, Uint8Array>): Promise<number> {
  const place = placeOn('/store', faults.disk(disk), faults.database(memoryDatabase(content)));
  let done = 0;
  let store: Store | undefined;
  try {
    store = await place.open();
    for (const step of STEPS) {
      await step(store);
      done += 1;
    }
  } catch (cause) {
    expect(cause).toMatchObject({ code: 'STORAGE_FAILED' });
    if (store !== undefined) await expect(store.settings.put('x', Uint8Array.of(1))).rejects.toThrow();
  }
  await store?.close().catch(() => {});
  return done;
}

async function countPoints(): Promise<number> {
  const faults = new Faults();
  expect(await runWith(faults, new MemoryDisk(), new Map())).toBe(STEPS.length);
  return faults.count;
}

async function recovered(place: Place, label: string) {
  await using store = await place.open().catch((cause) => {
    throw new Error(label, { cause });
  });
  return plain(await checkAll(store));
}

/** A delta over whatever the fault left (a torn tail included) must be there at the next opening. */
async function goesOn(place: Place): Promise<void> {
  {
    await using store = await place.open();
    const list = store.list(ORIGIN);
    if ((await snapshot(store)) === undefined) await rebuild(list, 3, 0);
    await list.commitDelta({ bundles: [bundle(50, 2)], newHead: head(52) });
  }
  await using store = await place.open();
  const found = await snapshot(store);
  expect(found?.head).toEqual(head(52));
  expect(found?.bundles.at(-1)).toEqual(bundle(50, 2));
}

describe('every write point of the store', () => {
  for (const mode of ['failed', 'lied', 'torn'] as const satisfies readonly FaultMode[]) {
    it(`${mode}: nothing acknowledged is lost, nothing is half there`, async () => {
      const states = await statesWithoutFaults();
      const points = await countPoints();
      expect(points).toBeGreaterThan(100);
      const names = new Set<string>();
      for (let at = 0; at < points; at++) {
        const disk = new MemoryDisk();
        const content = new Map<string, Uint8Array>();
        const faults = new Faults(at, mode);
        const done = await runWith(faults, disk, content);
        names.add(faults.hit ?? 'none');
        for (const after of [disk, disk.powerCut()]) {
          const place = placeOn('/store', after, memoryDatabase(new Map(content)));
          const label = `point ${at} (${faults.hit}), ${after === disk ? 'killed' : 'power cut'}, ${done} done`;
          const allowed = [states[done], states[done + 1] ?? states[done]];
          expect(allowed, label).toContainEqual(await recovered(place, label));
          await goesOn(place);
        }
      }
      for (const name of ['create', 'write', 'fsync', 'rename', 'fsync directory', 'database']) {
        expect(names).toContain(name);
      }
    });
  }
});
