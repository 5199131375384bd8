import { GetCheckpointResponse, PullEntriesResponse } from '../../../proto/gen/hashfed/v1/list.js';
import { ListServiceService } from '../../../proto/gen/hashfed/v1/list_service.js';
import { encodeLeaf } from '../../../sdk/core/index.js';
import { callUnary, readStream } from '../../../sdk/rpc/index.js';
import { FIRST, Liar, ORIGIN, type World } from '../../support/liar/index.js';
import { inTransit } from './lies.js';
import { attacks } from './suite.js';

/** One honest message of the wire with this much behind it that every reader skips. */
function padded(message: Uint8Array, bytes: number): Buffer {
  const length = [];
  for (let left = bytes; left > 0; left >>>= 7) length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return Buffer.concat([message, Uint8Array.of(0xfa, 0x07, ...length), new Uint8Array(bytes)]);
}

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
      inTransit(w, (honest) =>
        honest.map((one) => padded(PullEntriesResponse.encode(one).finish(), 1_000_000)),
      ),
  },
  {
    name: 'messages without an entry, on and on',
    mutation: 'a bundle holds an entry',
    code: 'MALFORMED',
    lie: (w) =>
      inTransit(w, (honest) => [
        ...Array.from({ length: 3_000 }, () => ({ ...honest[0]!, count: 0, bundle: new Uint8Array() })),
        ...honest,
      ]),
  },
  {
    name: 'a thousand batches without an entry, and what one key adds buried in them',
    mutation: 'additions counted',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => {
      const log = w.log.fork();
      for (let batch = 0; batch < 1_000; batch++) log.publish(batch % 45 === 0 ? w.adds(1) : []);
      w.serve(log, 'one');
    },
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
    only: 'client',
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
    name: 'an entry now and then, for ever',
    mutation: 'pace of a source',
    code: 'DEADLINE',
    lie: (w) => {
      w.more(20);
      w.liar.lies.pull = (_, { from, to }) => dripped(w, from, to);
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

/** One entry a message, half a minute apart. */
function* dripped(w: World, from: number, to: number) {
  for (let at = from; at < to; at++) {
    w.clock.pass(30_000);
    yield { firstIndex: BigInt(at), count: 1, bundle: w.log.bundle(at, at + 1) };
  }
}

async function readAll(w: World, limits: { idleMs: number; deadlineMs: number }): Promise<void> {
  const request = { origin: ORIGIN, from: 0n, to: BigInt(FIRST), leafHashesOnly: false };
  const [channel] = w.victim.channels;
  const all = { ...limits, maxBytes: 1_000_000 };
  for await (const _ of readStream(channel!, ListServiceService.pullEntries, request, all));
}
