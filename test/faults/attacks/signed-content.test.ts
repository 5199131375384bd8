import { encodeLeaf, type Leaf, type SealLeaf } from '../../../sdk/core/index.js';
import { FIRST, ORIGIN, type ServedLog, type World } from '../../support/liar/index.js';
import { seededBytes } from '../../support/log-builder.js';
import { attacks } from './suite.js';

/** What a publisher, or a thief of both its keys, signs against the rules. */
function signed(w: World, publish: (log: ServedLog) => void): void {
  const log = w.log.fork();
  publish(log);
  w.serve(log, 'two');
}

const bent = (bend: (seal: SealLeaf) => Partial<SealLeaf>) => (w: World) =>
  signed(w, (log) => void log.publish(w.adds(3), (seal) => ({ ...seal, ...bend(seal) })));

/** A leaf of a format to come, then what would be a SEAL. */
const unknown = (bend: (leaf: Uint8Array) => Uint8Array) => (w: World) =>
  signed(w, (log) => {
    log.raw(bend(encodeLeaf(w.adds(1)[0]!)));
    log.raw(log.leaves[FIRST]!);
  });

/** Signed by two keys, an anomaly: it must change nothing, and the SEAL before and after must agree on that. */
const harmless = (
  name: string,
  mutation: Parameters<typeof attacks>[1][number]['mutation'],
  make: (w: World, log: ServedLog) => (Leaf | Uint8Array)[],
  records = FIRST,
) => ({
  name,
  mutation,
  moves: true,
  adopts: true,
  lie: (w: World) => signed(w, (log) => void log.publish(make(w, log))),
  holds: async (w: World) => {
    const { state } = await w.victim.replica(ORIGIN);
    if (state.count !== records || state.holds.length > 0)
      throw new Error(`${state.count} records, ${state.holds.length} holds`);
    if (w.last?.alarms.some(({ kind }) => kind === 'anomalies') !== true) throw new Error('no alarm');
  },
});

attacks('entries: wrong content, signed', [
  {
    name: 'a set count that is not so',
    mutation: 'set count',
    code: 'PUBLISHER_INVALID',
    lie: bent(({ setCount }) => ({ setCount: setCount + 1 })),
  },
  {
    name: 'a set digest that is not so',
    mutation: 'set digest',
    code: 'PUBLISHER_INVALID',
    lie: bent(() => ({ setDigest: seededBytes('other', 32) })),
  },
  {
    name: 'a batch number skipped',
    mutation: 'batch number',
    code: 'PUBLISHER_INVALID',
    lie: bent(({ batchNo }) => ({ batchNo: batchNo + 1 })),
  },
  {
    name: 'a SEAL that names another SEAL before it',
    mutation: 'previous seal',
    code: 'PUBLISHER_INVALID',
    lie: bent(({ prevSealIndex }) => ({ prevSealIndex: prevSealIndex - 1 })),
  },
  {
    name: 'a SEAL dated before the one before',
    mutation: 'seal time',
    code: 'PUBLISHER_INVALID',
    lie: bent(({ timeMs }) => ({ timeMs: timeMs - 1 })),
  },
  {
    name: 'a digest algorithm that nobody knows',
    mutation: 'digest algorithm',
    code: 'PUBLISHER_INVALID',
    lie: bent(() => ({ digestAlg: 2 as 1 })),
  },
  {
    name: 'an entry of a newer version',
    mutation: 'leaf version',
    code: 'UPGRADE_REQUIRED',
    lie: unknown((leaf) => leaf.with(0, 2)),
  },
  {
    name: 'an entry of a newer kind',
    mutation: 'leaf kind',
    code: 'UPGRADE_REQUIRED',
    lie: unknown((leaf) => leaf.with(1, 6)),
  },
  {
    name: 'an entry with a newer flag',
    mutation: 'leaf flags',
    code: 'UPGRADE_REQUIRED',
    lie: unknown((leaf) => leaf.with(2, 0x80)),
  },
  harmless("another type's bytes as an entry", 'hash type of the list', (w) =>
    w.adds(1, { hashType: 4, hash: seededBytes('pdq', 32) }),
  ),
  harmless('a hash of the wrong length', 'hash length', (w) => {
    const leaf = encodeLeaf(w.adds(1)[0]!);
    return [leaf.with(47, 31)];
  }),
  harmless(
    'a withdrawal of an entry to come',
    'live target',
    (w, log) => [log.withdraw(log.size + 1), ...w.adds(1)],
    FIRST + 1,
  ),
  harmless('a hold of more than 72 hours', 'hold within 72 h', (_, log) => [holdFor(log, 73)]),
  harmless('a hold over entries to come', 'hold behind its range', (_, log) => [log.hold(0, log.size + 10)]),
]);

/** Encoded by hand: the encoder refuses it. */
function holdFor(log: ServedLog, hours: number): Uint8Array {
  const leaf = encodeLeaf(log.hold(0, 10, 24));
  const view = new DataView(leaf.buffer, leaf.byteOffset);
  view.setBigUint64(28, view.getBigUint64(3) + BigInt(hours * 3_600_000));
  return leaf;
}
