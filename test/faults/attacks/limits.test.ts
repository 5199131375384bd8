import { FIRST, HOUR, type Keys, ORIGIN, type ServedLog, type World } from '../../support/liar/index.js';
import { attacks } from './suite.js';

type Leaves = Parameters<ServedLog['publish']>[0];

/** What a thief of one key, or of two, publishes above what the client holds. */
function publish(w: World, leaves: (log: ServedLog) => Leaves, keys: Keys = 'one'): void {
  const log = w.log.fork();
  log.publish(leaves(log));
  w.serve(log, keys);
}

/** Small batches, one key each, until the client refuses one. */
async function slice(w: World, restart: boolean): Promise<void> {
  const log = w.log.fork();
  for (let i = 0; i < 5; i += 1) {
    log.publish(w.adds(9));
    w.serve(log, 'one');
    if (restart) await w.victim.restart();
    await w.sync();
  }
}

attacks('limits: what one key may do', [
  {
    name: 'one key floods a list',
    mutation: 'additions counted',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => publish(w, () => w.adds(100)),
  },
  {
    name: 'one key adds one entry more than it may',
    mutation: 'additions counted',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => publish(w, () => w.adds(21)),
  },
  {
    name: 'one key adds too much and withdraws it again in the same batch',
    mutation: 'additions counted',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) =>
      publish(w, (log) => [
        ...w.adds(21),
        ...Array.from({ length: 21 }, (_, i) => log.withdraw(log.size + i)),
      ]),
  },
  {
    name: 'one key empties a list',
    mutation: 'withdrawals counted',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => publish(w, (log) => Array.from({ length: FIRST }, (_, i) => log.withdraw(i))),
  },
  {
    name: 'one key amends a whole list',
    mutation: 'limit for one key',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => publish(w, (log) => Array.from({ length: FIRST }, (_, i) => log.amend(i, 200))),
  },
  {
    name: 'one key amends and withdraws, each below the limit',
    mutation: 'withdrawals counted',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) =>
      publish(w, (log) => [
        ...Array.from({ length: 11 }, (_, i) => log.amend(i)),
        ...Array.from({ length: 11 }, (_, i) => log.withdraw(20 + i)),
      ]),
  },
  {
    name: 'one key adds again what was withdrawn as wrong',
    mutation: 're-adding needs two keys',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => publish(w, () => w.adds(1, { readd: true })),
  },
  {
    name: 'one key holds one record twice',
    mutation: 'no hold twice',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => publish(w, (log) => [log.hold(0, 10), log.hold(9, 12)]),
  },
  {
    name: 'one key holds more than a thousand old records',
    mutation: 'holds counted',
    code: 'THRESHOLD_NOT_MET',
    prepare: (w) => w.more(1_100, 'two'),
    lie: (w) => {
      w.clock.pass(8 * 24 * HOUR);
      publish(w, (log) => [log.hold(0, log.size)]);
    },
  },
  {
    name: 'one key where the root demands two for everything',
    mutation: 'min_signers',
    options: { policy: { minSigners: 2 } },
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => publish(w, () => w.adds(1)),
  },
  {
    name: 'one key beyond the limit that the root lowered',
    mutation: 'lowered limit',
    options: { policy: { oneKeyLimit: 5n } },
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => publish(w, () => w.adds(6)),
  },
  {
    name: 'a first checkpoint that one key signed',
    mutation: 'an anchor has two keys',
    fresh: true,
    options: { empty: true },
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => publish(w, () => w.adds(5)),
  },
  {
    name: 'an approval dated 2099 for a big change',
    mutation: 'cosignature not from the future',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => {
      const log = w.log.fork();
      log.publish(w.adds(100));
      w.serve(log, [...w.police.signers(ORIGIN, 'one'), w.police.approval(2_000_000_000)]);
    },
  },
  {
    name: 'a big change in many small batches',
    mutation: 'an anchor has two keys',
    code: 'THRESHOLD_NOT_MET',
    moves: true,
    lie: () => {},
    act: (w) => slice(w, false),
    adopts: true,
  },
  {
    name: 'a big change in many small batches, with restarts between',
    mutation: 'an anchor has two keys',
    code: 'THRESHOLD_NOT_MET',
    moves: true,
    lie: () => {},
    act: (w) => slice(w, true),
    adopts: true,
  },
  {
    name: 'an anchor withheld from a newcomer',
    mutation: 'an anchor has two keys',
    fresh: true,
    code: 'THRESHOLD_NOT_MET',
    prepare: (w) => w.more(5, 'one'),
    lie: (w) => w.offer({ anchorNote: new Uint8Array() }),
  },
]);
