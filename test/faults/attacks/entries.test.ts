import type { PullEntriesResponse } from '../../../proto/gen/hashfed/v1/list.js';
import { FIRST, HOTLINE, ORIGIN, OTHER, type World } from '../../support/liar/index.js';
import { inTransit } from './lies.js';
import { attacks } from './suite.js';

type Pull = PullEntriesResponse;

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
    lie: (w) => inTransit(w, () => w.liar.honestPull(ORIGIN, FIRST - 7, w.log.size - 8)),
  },
  {
    name: 'a delta replayed',
    mutation: 'place in the list',
    code: 'MALFORMED',
    lie: (w) => inTransit(w, ([first, , third]) => [first!, first!, third!]),
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
    lie: (w) =>
      inTransit(w, ([first, ...rest]) => [
        first!,
        ...rest.map((one) => ({ ...one, firstIndex: one.firstIndex + 1n })),
      ]),
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
