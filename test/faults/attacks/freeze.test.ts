import { FIRST, HOUR, ORIGIN } from '../../support/liar/index.js';
import { NONE, standing } from './lies.js';
import { attacks } from './suite.js';

attacks('freeze and clocks', [
  {
    name: 'the old head for ever, without new statements',
    mutation: 'FRESH ends',
    lie: (w) => {
      w.clock.pass(16 * 60_000);
      w.offer({ freshness: NONE, liveness: NONE });
    },
    holds: (w) => standing(w, 'STALE', 'FRESHNESS'),
  },
  {
    name: 'the old head past its expiry',
    mutation: 'freshness expires',
    lie: (w) => {
      w.clock.pass(2 * HOUR);
      w.offer({ freshness: NONE, liveness: NONE });
    },
    holds: (w) => standing(w, 'EXPIRED', 'EXPIRED'),
  },
  {
    name: 'freshness that says it lasts until 2099',
    mutation: 'freshness_max',
    lie: async (w) => {
      const bend = { notAfterMs: 4_070_908_800_000n, issuedAtMs: BigInt(w.clock.nowMs() + 1) };
      w.offer({ freshness: w.police.freshness(ORIGIN, w.log.at(), bend) });
      await w.sync();
      w.clock.pass(7 * HOUR);
      w.offer({ freshness: NONE, liveness: NONE });
    },
    holds: (w) => standing(w, 'EXPIRED', 'EXPIRED'),
  },
  {
    name: 'a newer head with the freshness of the older one',
    mutation: 'FRESH covers the state',
    moves: true,
    lie: (w) => {
      const old = w.police.freshness(ORIGIN, w.log.at());
      w.more();
      w.offer({ freshness: old, liveness: NONE });
    },
    holds: (w) => standing(w, 'STALE', 'FRESHNESS'),
  },
  {
    name: 'only a withdrawal withheld, which liveness names',
    mutation: 'withheld shows',
    lie: (w) => {
      const old = w.liar.honestBundle(ORIGIN);
      w.police.publish(ORIGIN, [w.log.withdraw(3)], 'one');
      w.clock.pass(1_000);
      w.offer({ ...old, liveness: w.police.liveness(ORIGIN, w.log.at()) });
    },
    holds: (w) => standing(w, 'STALE', 'WITHHELD'),
  },
  {
    name: 'a withdrawal withheld by one source of two',
    mutation: 'withheld by statement',
    options: { mirror: true },
    moves: true,
    lie: (w) => {
      const old = w.liar.honestBundle(ORIGIN);
      w.police.publish(ORIGIN, [w.log.withdraw(3)], 'one');
      const live = w.police.liveness(ORIGIN, w.log.at());
      w.offer({ ...old, liveness: live });
    },
    holds: async (w) => {
      const digest = await w.victim.digest(ORIGIN);
      if (!digest.startsWith(`${w.log.size} ${FIRST - 1} `)) throw new Error(`holds ${digest}`);
      if (w.last?.withheld === true || w.last?.source === w.liar.address) throw new Error('took the liar');
      w.clock.pass(1);
    },
  },
  {
    name: 'a root that expired',
    mutation: 'expired root',
    code: 'STALE',
    lie: (w) => {
      w.clock.offsetMs = Number(w.police.root.expiresMs) - w.clock.nowMs();
      w.clock.monotonicOffsetMs = w.clock.offsetMs;
    },
    holds: (w) => {
      w.police.rotate({ expiresMs: w.police.root.expiresMs + 400n * 86_400_000n });
    },
  },
  {
    name: 'an expired root shows before any server is asked',
    mutation: 'root expires',
    lie: (w) => w.clock.pass(Number(w.police.root.expiresMs) - w.clock.nowMs()),
    act: () => {},
    holds: async (w) => {
      await standing(w, 'EXPIRED', 'ROOT_EXPIRED');
      w.police.rotate({ expiresMs: w.police.root.expiresMs + 400n * 86_400_000n });
    },
  },
  {
    name: 'a publisher cut off: the operator stays fresh, liveness falls silent',
    mutation: 'silence shows',
    lie: async (w) => {
      const live = w.police.liveness(ORIGIN, w.log.at());
      w.clock.pass(27 * HOUR);
      w.offer({ liveness: live });
    },
    holds: (w) => standing(w, 'STALE', 'SILENCE'),
  },
  {
    name: 'a list that nobody seals any more, its live key still signing',
    mutation: 'seal age shows',
    lie: (w) => w.clock.pass(36 * 24 * HOUR),
    holds: (w) => standing(w, 'STALE', 'SEAL_AGE'),
  },
  {
    name: 'the clock is 36 hours behind after a restart',
    mutation: 'clock behind the list',
    lie: async (w) => {
      w.clock.offsetMs = -36 * HOUR;
      await w.victim.restart();
    },
    act: () => {},
    holds: (w) => standing(w, 'STALE', 'CLOCK'),
  },
  {
    name: 'the clock is put back while the server freezes',
    mutation: 'clock put back',
    lie: async (w) => {
      await w.standing();
      w.clock.pass(20 * 60_000);
      await w.standing();
      w.clock.offsetMs -= 20 * 60_000;
    },
    act: () => {},
    holds: (w) => standing(w, 'STALE', 'CLOCK'),
  },
  {
    name: 'the clock is put back by less than shows, while the server freezes',
    mutation: 'monotonic age',
    lie: (w) => {
      w.clock.pass(20 * 60_000);
      w.clock.offsetMs -= 9 * 60_000;
    },
    act: () => {},
    holds: (w) => standing(w, 'STALE', 'FRESHNESS'),
  },
  {
    name: 'the clock is 36 hours ahead',
    mutation: 'freshness expires',
    lie: (w) => {
      w.clock.offsetMs = 36 * HOUR;
    },
    act: () => {},
    holds: async (w) => {
      await standing(w, 'EXPIRED', 'EXPIRED');
      w.clock.offsetMs = 0;
    },
  },
  {
    name: 'a server that asks its clients to stay away for weeks',
    mutation: 'wait is capped',
    lie: (w) => {
      w.liar.lies.minWaitMs = 4_000_000_000;
    },
    holds: (w) => {
      if ((w.last?.minWaitMs ?? 0) > HOUR) throw new Error('the wait was believed');
    },
  },
]);
