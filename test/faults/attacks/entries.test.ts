import type { PullEntriesResponse } from '../../../proto/gen/hashfed/v1/list.js';
import {
  GetCheckpointResponse,
  PullEntriesResponse as PullMessage,
} from '../../../proto/gen/hashfed/v1/list.js';
import { ListServiceService } from '../../../proto/gen/hashfed/v1/list_service.js';
import { encodeLeaf, type Leaf, type SealLeaf } from '../../../sdk/core/index.js';
import { callUnary, readStream } from '../../../sdk/rpc/index.js';
import { FIRST, HOTLINE, Liar, ORIGIN, OTHER, type ServedLog, type World } from '../../support/liar/index.js';
import { seededBytes } from '../../support/log-builder.js';
import { attacks } from './suite.js';

type Pull = PullEntriesResponse;

/** Twenty honest entries and their SEAL, in three messages, bent on the way. */
function inTransit(w: World, bend: (honest: Pull[]) => Iterable<Pull | Buffer>): void {
  w.more(20);
  w.liar.lies.pull = (honest) => bend([...honest]);
}

/** One honest message of the wire with this much behind it that every reader skips. */
function padded(message: Uint8Array, bytes: number): Buffer {
  const length = [];
  for (let left = bytes; left > 0; left >>>= 7) length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return Buffer.concat([message, Uint8Array.of(0xfa, 0x07, ...length), new Uint8Array(bytes)]);
}

/** The entries of `honest`, changed one by one, under the honest framing. */
function leaves(w: World, honest: readonly Pull[], bend: (all: Uint8Array[]) => Uint8Array[]): Pull[] {
  const from = Number(honest[0]!.firstIndex);
  const all = bend(w.log.leaves.slice(from, from + honest.reduce((sum, one) => sum + one.count, 0)));
  const bundle = Buffer.concat(
    all.flatMap((leaf) => [Uint8Array.of(leaf.length >> 8, leaf.length & 0xff), leaf]),
  );
  return [{ firstIndex: BigInt(from), count: all.length, bundle: new Uint8Array(bundle) }];
}

const swap = <T>(list: T[], a: number, b: number): T[] =>
  list.map((one, i) => (i === a ? list[b]! : i === b ? list[a]! : one));

attacks('entries: mix and match', [
  {
    name: 'the entries of another list of the publisher',
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    lie: (w) => {
      w.more(9);
      w.liar.lies.pull = () => {
        const bundle = w.police.log(OTHER).bundle(0, 10);
        return [{ firstIndex: BigInt(FIRST + 1), count: 10, bundle }];
      };
    },
  },
  {
    name: "the entries of another publisher's list",
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    lie: (w) => {
      w.more(9);
      w.liar.lies.pull = () => [
        { firstIndex: BigInt(FIRST + 1), count: 10, bundle: w.hotline.log(HOTLINE).bundle(0, 10) },
      ];
    },
  },
  {
    name: 'a delta of another base',
    mutation: 'place in the list',
    code: 'MALFORMED',
    lie: (w) => inTransit(w, () => w.liar.honestPull(ORIGIN, FIRST - 7, w.log.size)),
  },
  {
    name: 'a delta replayed',
    mutation: 'place in the list',
    code: 'MALFORMED',
    lie: (w) => inTransit(w, ([first, ...rest]) => [first!, first!, ...rest]),
  },
  {
    name: 'a delta replayed under new indexes',
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    lie: (w) =>
      inTransit(w, ([first, second, ...rest]) => [first!, { ...second!, bundle: first!.bundle }, ...rest]),
  },
  {
    name: 'messages in another order',
    mutation: 'place in the list',
    code: 'MALFORMED',
    lie: (w) => inTransit(w, (honest) => swap(honest, 0, 1)),
  },
  {
    name: 'a gap',
    mutation: 'place in the list',
    code: 'MALFORMED',
    lie: (w) => inTransit(w, ([first, , third]) => [first!, third!]),
  },
  {
    name: 'two entries swapped',
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    lie: (w) => inTransit(w, (honest) => leaves(w, honest, (all) => swap(all, 2, 5))),
  },
  {
    name: 'an entry twice, another left out',
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    lie: (w) =>
      inTransit(w, (honest) => leaves(w, honest, (all) => all.map((one, i) => (i === 3 ? all[2]! : one)))),
  },
  {
    name: 'a withdrawn entry put in again in place of a new one',
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    prepare: (w) => w.police.publish(ORIGIN, [w.log.withdraw(4)], 'two'),
    lie: (w) =>
      inTransit(w, (honest) =>
        leaves(w, honest, (all) => all.map((one, i) => (i === 0 ? w.log.leaves[4]! : one))),
      ),
  },
  {
    name: 'a classification raised in transit',
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    lie: (w) =>
      inTransit(w, (honest) =>
        leaves(w, honest, (all) => all.map((one, i) => (i === 1 ? one.with(13, 9) : one))),
      ),
  },
  {
    name: 'verifications raised in transit',
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    lie: (w) =>
      inTransit(w, (honest) =>
        leaves(w, honest, (all) => all.map((one, i) => (i === 1 ? one.with(14, 255) : one))),
      ),
  },
  {
    name: 'the head of one server with the body of another, forked one',
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    lie: (w) => {
      const forked = w.log.fork();
      forked.publish(w.adds(20));
      w.more(20);
      w.liar.lies.log = forked;
    },
  },
  {
    name: 'a count that is not that of the bundle',
    mutation: 'count of the bundle',
    code: 'MALFORMED',
    lie: (w) =>
      inTransit(w, (honest) => honest.map((one, i) => (i === 2 ? { ...one, count: one.count + 1 } : one))),
  },
]);

const withdrawnAndErased = (w: World, erased: readonly number[]): void => {
  w.liar.lies.pull = (_, { from, to }) => [
    { firstIndex: BigInt(from), count: to - from, bundle: w.log.bundle(from, to, new Set(erased)) },
  ];
};

attacks('entries: endless and missing', [
  {
    name: 'a stream cut short that says it is whole',
    mutation: 'stream ends at the end',
    code: 'MALFORMED',
    lie: (w) => inTransit(w, (honest) => honest.slice(0, -1)),
  },
  {
    name: 'a message longer than a bundle may be',
    mutation: 'message length',
    code: 'MALFORMED',
    lie: (w) => {
      const meta = Uint8Array.of(9, 255, ...new Uint8Array(255), 10, 200, ...new Uint8Array(200));
      w.more(600, 'two');
      w.police.publish(ORIGIN, w.adds(600, { meta }), 'two');
      w.liar.lies.pull = (_, { from, to }) => [
        { firstIndex: BigInt(from), count: to - from, bundle: w.log.bundle(from, to) },
      ];
    },
  },
  {
    name: 'more bytes than the entries can have',
    mutation: 'bytes of a stream',
    code: 'MALFORMED',
    lie: (w) =>
      inTransit(w, (honest) => honest.map((one) => padded(PullMessage.encode(one).finish(), 1_000_000))),
  },
  {
    name: 'an answer of more than a message may have',
    mutation: 'bytes of a message',
    code: 'MALFORMED',
    lie: (w) => {
      w.liar.lies.checkpoint = (checkpoint) =>
        padded(GetCheckpointResponse.encode({ checkpoint, minWaitMs: 0 }).finish(), 5_000_000);
    },
  },
  {
    name: 'a compression bomb',
    mutation: 'bytes of a message',
    code: 'MALFORMED',
    lie: async (w) => {
      const bomb = await Liar.start(w.servers.identity, { 'grpc.default_compression_algorithm': 2 });
      bomb.publishers = w.liar.publishers;
      bomb.lies.checkpoint = (checkpoint) =>
        padded(GetCheckpointResponse.encode({ checkpoint, minWaitMs: 0 }).finish(), 40_000_000);
      await w.victim.restart({ sources: [bomb.address] });
      w.onConfess(async () => {
        bomb.stop();
        await w.victim.restart({ sources: [w.liar.address] });
      });
    },
  },
  {
    name: 'a stream that falls silent',
    mutation: 'silence of a stream',
    code: 'DEADLINE',
    lie: (w) => {
      w.liar.lies.pull = async function* pull(honest) {
        yield* honest.slice(0, 0);
        await new Promise((resolve) => setTimeout(resolve, 5_000).unref());
      };
    },
    act: (w) => readAll(w, { idleMs: 150, deadlineMs: 60_000 }),
  },
  {
    name: 'a heartbeat now and then, for ever',
    mutation: 'deadline',
    code: 'DEADLINE',
    lie: (w) => {
      w.liar.lies.watch = async function* watch() {
        for (let i = 0; i < 200; i += 1) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          yield { checkpoint: undefined, serverTimeMs: 0n, heartbeatMs: 1_000 };
        }
      };
    },
    act: async (w) => {
      const limits = { deadlineMs: 300, idleMs: 10_000, maxBytes: 1_000_000 };
      const request = { origins: [ORIGIN] };
      const [channel] = w.victim.channels;
      for await (const _ of readStream(channel!, ListServiceService.watchCheckpoints, request, limits));
    },
  },
  {
    name: 'an answer that never comes',
    mutation: 'deadline',
    code: 'DEADLINE',
    lie: (w) => {
      w.liar.lies.checkpoint = async (honest) => {
        await new Promise((resolve) => setTimeout(resolve, 4_000).unref());
        return honest;
      };
    },
    act: (w) =>
      callUnary(
        w.victim.channels[0]!,
        ListServiceService.getCheckpoint,
        { origin: ORIGIN },
        { deadlineMs: 200 },
      ),
  },
  {
    name: 'an erased entry that nobody withdrew',
    mutation: 'erased needs a withdrawal',
    code: 'MISSING_ENTRY',
    lie: (w) => {
      w.more(5);
      withdrawnAndErased(w, [FIRST + 2]);
    },
  },
  {
    name: 'an erased entry whose withdrawal is held back',
    mutation: 'erased needs a withdrawal',
    code: 'MISSING_ENTRY',
    lie: (w) => {
      const at = w.log.size;
      w.more(5);
      const before = w.liar.honestBundle(ORIGIN);
      w.police.publish(ORIGIN, [w.log.withdraw(at)], 'one');
      w.offer(before);
      withdrawnAndErased(w, [at]);
    },
  },
  {
    name: 'a checkpoint that ends behind its SEAL',
    mutation: 'ends in a seal',
    code: 'NOT_SEALED',
    lie: (w) => {
      const log = w.log.fork();
      log.publish(w.adds(3));
      log.raw(encodeLeaf(w.adds(1)[0]!));
      w.serve(log, 'one');
    },
  },
]);

async function readAll(w: World, limits: { idleMs: number; deadlineMs: number }): Promise<void> {
  const request = { origin: ORIGIN, from: 0n, to: BigInt(FIRST), leafHashesOnly: false };
  const [channel] = w.victim.channels;
  const all = { ...limits, maxBytes: 1_000_000 };
  for await (const _ of readStream(channel!, ListServiceService.pullEntries, request, all));
}

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
