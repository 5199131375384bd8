import { vi } from 'vitest';
import type { GetSnapshotIndexResponse, PullSnapshotResponse } from '../../../proto/gen/hashfed/v1/list.js';
import { FIRST, ORIGIN, type ServedLog, type World } from '../../support/liar/index.js';
import { attacks } from './suite.js';

// A snapshot is worth asking for above 100,000 entries; here above ten.
vi.mock('../../../sdk/sync/limits.js', async (original) => ({
  ...(await original<object>()),
  SNAPSHOT_MIN_TAIL: 10,
}));

type Index = GetSnapshotIndexResponse;
type Rows = PullSnapshotResponse;

interface SnapshotLie {
  readonly index?: (honest: Index, log: ServedLog) => Partial<Index>;
  readonly rows?: (honest: Rows) => Rows[];
}

/** Serves the newest two-key state as a snapshot, bent. */
function serveSnapshot(
  w: World,
  { index, rows }: SnapshotLie,
  log = w.log,
  keys: 'one' | 'two' = 'two',
): void {
  const honest = {
    ...log.snapshotIndex(),
    anchorNote: w.police.note(ORIGIN, log.at(), w.police.signers(ORIGIN, keys)),
  };
  w.liar.lies.snapshotIndex = () => ({ ...honest, ...index?.(honest, log) });
  w.liar.lies.snapshot = () => rows?.(log.snapshotRows()) ?? [log.snapshotRows()];
}

/** One record of the snapshot with another classification. */
function raised({ rows, ...rest }: Rows): Rows {
  const bent = rows.slice();
  bent[32 + 41] = 9;
  return { ...rest, rows: bent };
}

attacks('servers: snapshots', [
  {
    name: 'a snapshot of another size than its anchor',
    only: 'client',
    mutation: 'snapshot size',
    fresh: true,
    code: 'MALFORMED',
    lie: (w) => serveSnapshot(w, { index: ({ size }) => ({ size: size - 1n }) }),
  },
  {
    name: 'another tree edge',
    only: 'client',
    mutation: 'snapshot tree',
    fresh: true,
    code: 'ROOT_MISMATCH',
    lie: (w) =>
      serveSnapshot(w, { index: ({ compactRange }) => ({ compactRange: compactRange.map((b) => b ^ 1) }) }),
  },
  {
    name: 'another SEAL',
    only: 'client',
    mutation: 'snapshot seal proven',
    fresh: true,
    code: 'ROOT_MISMATCH',
    lie: (w) =>
      serveSnapshot(w, { index: ({ sealLeaf }) => ({ sealLeaf: sealLeaf.with(12, sealLeaf[12]! ^ 1) }) }),
  },
  {
    name: 'records with the digests that fit them',
    only: 'client',
    mutation: 'snapshot digests',
    fresh: true,
    code: 'ROOT_MISMATCH',
    lie: (w) =>
      serveSnapshot(w, {
        index: (_, log) => ({ bucketDigests: log.digestsOf(raised(log.snapshotRows())) }),
        rows: (honest) => [raised(honest)],
      }),
  },
  {
    name: 'a hold left out',
    only: 'client',
    mutation: 'snapshot digests',
    fresh: true,
    code: 'ROOT_MISMATCH',
    prepare: (w) => w.police.publish(ORIGIN, [w.log.hold(0, 10)], 'two'),
    lie: (w) => serveSnapshot(w, { index: () => ({ holds: new Uint8Array() }) }),
  },
  {
    name: 'a classification raised in a record',
    only: 'client',
    mutation: 'snapshot bucket',
    fresh: true,
    code: 'ROOT_MISMATCH',
    lie: (w) => serveSnapshot(w, { rows: (honest) => [raised(honest)] }),
  },
  {
    name: 'a bucket left out',
    only: 'client',
    mutation: 'snapshot order',
    fresh: true,
    code: 'MALFORMED',
    lie: (w) =>
      serveSnapshot(w, {
        rows: ({ bucketBytes: [first = 0, ...rest], rows }) => [
          { firstBucket: 1, bucketBytes: rest, rows: rows.subarray(first), continues: false },
        ],
      }),
  },
  {
    name: 'a snapshot cut short that says it is whole',
    only: 'client',
    mutation: 'snapshot ends at the end',
    fresh: true,
    code: 'MALFORMED',
    lie: (w) => serveSnapshot(w, { rows: () => [] }),
  },
  {
    name: 'a snapshot of what one key signed',
    only: 'client',
    mutation: 'snapshot anchor has two keys',
    fresh: true,
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => {
      w.more(40, 'one');
      serveSnapshot(w, {}, w.log, 'one');
    },
  },
  {
    name: 'a snapshot that does not continue what is held',
    only: 'client',
    mutation: 'snapshot is continued',
    code: 'ROOT_MISMATCH',
    lie: (w) => {
      const forked = w.log.fork(0);
      forked.publish(w.adds(FIRST + 30));
      w.serve(forked, 'two');
      serveSnapshot(w, {}, forked);
    },
  },
]);
