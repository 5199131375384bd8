import { toBase64 } from '../../../sdk/core/index.js';
import { FIRST, HOUR, ORIGIN, signedNote, type World } from '../../support/liar/index.js';
import { digestOf, testKey } from '../../support/trust/keys.js';
import { keptEvidence, NONE, refused, standing } from './lies.js';
import { attacks } from './suite.js';

/** The newest head before the last publication, with everything that belongs to it. */
function serveOlder(w: World): void {
  const older = w.log.fork(FIRST + 1);
  w.serve(older, 'two');
}

/** Another history of the same length, really signed by both keys: what a thief of both can do. */
function serveFork(w: World, bend: object = {}): void {
  const forked = w.log.fork(FIRST + 1);
  forked.publish(w.adds(w.log.size - forked.size - 1));
  w.serve(forked, 'two', bend);
}

const silent = (w: World): void => w.offer({ freshness: NONE, liveness: NONE });

attacks('history: rollback', [
  {
    name: 'a lower size',
    mutation: 'no smaller size',
    code: 'ROLLBACK',
    prepare: (w) => w.more(5, 'two'),
    lie: serveOlder,
  },
  {
    name: 'a lower size after a restart',
    mutation: 'no smaller size',
    code: 'ROLLBACK',
    prepare: (w) => w.more(5, 'two'),
    lie: async (w) => {
      await w.victim.restart();
      serveOlder(w);
    },
  },
  {
    name: 'a server restored from an old backup, statements and all',
    mutation: 'no smaller size',
    code: 'ROLLBACK',
    lie: async (w) => {
      const old = w.liar.honestBundle(ORIGIN);
      w.clock.pass(HOUR);
      w.more(5, 'one');
      await w.sync();
      w.offer(old);
    },
    moves: true,
  },
  {
    name: 'only the withdrawals taken back',
    mutation: 'no smaller size',
    code: 'ROLLBACK',
    prepare: (w) => w.police.publish(ORIGIN, [w.log.withdraw(3), w.log.withdraw(4)], 'two'),
    lie: serveOlder,
  },
  {
    name: 'a list emptied',
    mutation: 'not emptied',
    code: 'ROLLBACK',
    lie: (w) => w.offer({ note: NONE, anchorNote: NONE, freshness: NONE, liveness: NONE }),
  },
  {
    name: 'another root of the size held',
    mutation: 'one root per size',
    code: 'EQUIVOCATION',
    prepare: (w) => {
      w.more(5, 'two');
      silent(w);
    },
    lie: (w) => serveFork(w, { freshness: NONE, liveness: NONE }),
    holds: keptEvidence,
  },
  {
    name: 'another root of the size held, after a restart',
    mutation: 'one root per size',
    code: 'EQUIVOCATION',
    prepare: (w) => {
      w.more(5, 'two');
      silent(w);
    },
    lie: async (w) => {
      await w.victim.restart();
      serveFork(w, { freshness: NONE, liveness: NONE });
    },
    holds: keptEvidence,
  },
  {
    name: 'two sources with two histories of one size',
    mutation: 'split view',
    options: { mirror: true },
    code: 'EQUIVOCATION',
    lie: (w) => {
      w.more(5, 'two');
      serveFork(w);
    },
    holds: keptEvidence,
  },
  {
    name: 'a history that forked below what is held, longer',
    mutation: 'entries make the root',
    code: 'ROOT_MISMATCH',
    prepare: (w) => w.more(5, 'two'),
    lie: (w) => {
      const forked = w.log.fork(FIRST + 1);
      forked.publish(w.adds(5));
      forked.publish(w.adds(5));
      w.serve(forked, 'one');
    },
  },
  {
    name: 'a freshness statement about another root of the size served',
    mutation: 'statement and checkpoint agree',
    code: 'EQUIVOCATION',
    lie: (w) => {
      w.more();
      const state = { ...w.log.at(), root: digestOf('other') };
      w.offer({ freshness: w.police.freshness(ORIGIN, state) });
    },
    holds: keptEvidence,
  },
  {
    name: 'a liveness statement about another root of the size served',
    mutation: 'statement and checkpoint agree',
    code: 'EQUIVOCATION',
    lie: (w) => {
      w.more();
      const state = { ...w.log.at(), root: digestOf('other') };
      w.offer({ liveness: w.police.liveness(ORIGIN, state) });
    },
    holds: keptEvidence,
  },
  {
    name: 'a freshness statement about another root version body',
    mutation: 'statement names our root',
    code: 'EQUIVOCATION',
    lie: (w) =>
      w.offer({ freshness: w.police.freshness(ORIGIN, w.log.at(), { rootSha256: digestOf('other') }) }),
  },
]);

const size = (w: World, text: string, bend = {}): void => {
  const body = `${ORIGIN}\n${text}\n${toBase64(digestOf('far'))}\n`;
  w.offer({
    note: signedNote(body, w.police.signers(ORIGIN, 'one')),
    freshness: NONE,
    liveness: NONE,
    ...bend,
  });
};

attacks('history: fast-forward', [
  {
    name: 'a size of 2^53',
    mutation: 'size in decimal below 2^53',
    code: 'MALFORMED',
    lie: (w) => size(w, '9007199254740992'),
  },
  {
    name: 'a size of 2^63 - 1',
    mutation: 'size in decimal below 2^53',
    code: 'MALFORMED',
    lie: (w) => size(w, '9223372036854775807'),
  },
  {
    name: 'a size of 2^53 - 1 and a stream that ends with what there is',
    mutation: 'stream ends at the end',
    code: 'MALFORMED',
    lie: (w) => {
      size(w, '9007199254740991');
      w.more();
      w.liar.lies.pull = (_, { from }) => w.liar.honestPull(ORIGIN, from, w.log.size);
    },
  },
  {
    name: 'a freshness statement of size 2^53',
    mutation: 'numbers below 2^53',
    lie: (w) => w.offer({ freshness: w.police.freshness(ORIGIN, w.log.at(), { size: 2n ** 53n }) }),
    holds: (w) => refused(w, 'freshness', 'MALFORMED'),
  },
  {
    name: 'a freshness statement of size 2^53 - 1, and recovery with the next honest one',
    mutation: 'withheld by statement',
    lie: (w) => w.offer({ freshness: w.police.freshness(ORIGIN, w.log.at(), { size: 2n ** 53n - 1n }) }),
    holds: (w) => {
      if (w.last?.withheld !== true) throw new Error('nothing was said to be withheld');
      w.clock.pass(60_000);
    },
  },
  {
    name: 'a stolen freshness key claims a size of 2^53 - 1, and recovery after its rotation',
    mutation: 'statements under a new root',
    lie: async (w) => {
      // Ahead of what an honest one can say, so that only the rotation ends it.
      const claim = { size: 2n ** 53n - 1n, issuedAtMs: BigInt(w.clock.nowMs() + 9 * 60_000) };
      w.offer({ freshness: w.police.freshness(ORIGIN, w.log.at(), claim) });
      await w.sync();
      await standing(w, 'STALE', 'WITHHELD');
      const freshness = testKey('new freshness');
      w.police.rotate(w.police.rootWith({ ...w.police.keys, freshness }));
      w.police.keys.freshness = freshness;
      w.liar.lies = {};
    },
    holds: async (w) => {
      const { state, causes } = await w.standing();
      if (state !== 'FRESH') throw new Error(`is ${state} ${causes.join(' ')}`);
    },
  },
]);
