import { toBase64 } from '../../../sdk/core/index.js';
import { FIRST, HOUR, ORIGIN, signedNote, type World } from '../../support/liar/index.js';
import {
  encodeFreshness,
  encodeLiveness,
  freshnessMessage,
  livenessMessage,
  signBody,
} from '../../support/trust/bodies.js';
import { digestOf, testKey } from '../../support/trust/keys.js';
import { sequencer } from '../../support/trust/log.js';
import { attacks } from './suite.js';

const NONE = new Uint8Array();

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

async function keptEvidence(w: World): Promise<void> {
  if ((await w.victim.evidence(ORIGIN)) === 0) throw new Error('no evidence was kept');
}

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
      w.serve(forked, 'two');
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
      w.liar.lies.pull = () => w.liar.honestPull(ORIGIN, FIRST + 1, w.log.size);
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
]);

/** The statement was refused and told, and the one held stayed. */
function refused(w: World, what: 'freshness' | 'liveness', code: string): void {
  const told = w.last?.alarms.some(
    (one) => one.kind === 'statement' && one.what === what && one.code === code,
  );
  if (told !== true) throw new Error(`no alarm ${code} about ${what}: ${JSON.stringify(w.last?.alarms)}`);
}

async function standing(w: World, state: string, cause: string): Promise<void> {
  const now = await w.standing();
  if (now.state !== state || now.causes[0] !== cause)
    throw new Error(`is ${now.state} ${now.causes.join(' ')}, not ${state} ${cause}`);
}

const freshness = (
  w: World,
  bend: Parameters<typeof w.police.freshness>[2],
  key?: ReturnType<typeof testKey>,
) => w.offer({ freshness: w.police.freshness(ORIGIN, w.log.at(), bend, key) });
const liveness = (
  w: World,
  bend: Parameters<typeof w.police.liveness>[2],
  key?: ReturnType<typeof testKey>,
) => w.offer({ liveness: w.police.liveness(ORIGIN, w.log.at(), bend, key) });

attacks('statements', [
  {
    name: 'freshness by the live key',
    mutation: 'DSSE threshold',
    lie: (w) => freshness(w, {}, w.police.keys.live),
    holds: (w) => refused(w, 'freshness', 'THRESHOLD_NOT_MET'),
  },
  {
    name: 'freshness by a stranger',
    mutation: 'DSSE threshold',
    lie: (w) => freshness(w, {}, testKey('thief')),
    holds: (w) => refused(w, 'freshness', 'THRESHOLD_NOT_MET'),
  },
  {
    name: 'liveness by the freshness key',
    mutation: 'DSSE threshold',
    lie: (w) => liveness(w, {}, w.police.keys.freshness),
    holds: (w) => refused(w, 'liveness', 'THRESHOLD_NOT_MET'),
  },
  {
    name: 'liveness bytes as freshness, by the freshness key',
    mutation: 'kind of body',
    lie: (w) => {
      const body = encodeLiveness(livenessMessage({ origin: ORIGIN }));
      w.offer({ freshness: signBody('liveness', body, w.police.keys.freshness) });
    },
    holds: (w) => refused(w, 'freshness', 'MALFORMED'),
  },
  {
    name: 'freshness bytes as liveness, by the live key',
    mutation: 'kind of body',
    lie: (w) => {
      const body = encodeFreshness(freshnessMessage(w.police.rootSha256, { origin: ORIGIN }));
      w.offer({ liveness: signBody('freshness', body, w.police.keys.live) });
    },
    holds: (w) => refused(w, 'liveness', 'MALFORMED'),
  },
  {
    name: 'freshness with an explicit default: other bytes, the same meaning',
    mutation: 'canonical body',
    lie: (w) => {
      const { size: at, root } = w.log.at();
      const honest = freshnessMessage(w.police.rootSha256, {
        origin: ORIGIN,
        size: BigInt(at),
        root,
        issuedAtMs: BigInt(w.clock.nowMs()),
        notAfterMs: BigInt(w.clock.nowMs() + HOUR),
      });
      const body = Uint8Array.of(...encodeFreshness(honest), 0x7a, 0x00);
      w.offer({ freshness: signBody('freshness', body, w.police.keys.freshness) });
    },
    holds: (w) => refused(w, 'freshness', 'MALFORMED'),
  },
  {
    name: "another list's freshness",
    mutation: 'statement about this list',
    lie: (w) => freshness(w, { origin: 'police.example/known/sha256/g1' }),
    holds: (w) => refused(w, 'freshness', 'MALFORMED'),
  },
  {
    name: 'freshness dated 2099',
    mutation: 'statement from the future',
    lie: (w) => freshness(w, { issuedAtMs: 4_070_908_800_000n, notAfterMs: 4_070_908_800_001n }),
    holds: (w) => refused(w, 'freshness', 'FUTURE'),
  },
  {
    name: 'liveness dated 2099',
    mutation: 'statement from the future',
    lie: (w) => liveness(w, { timeMs: 4_070_908_800_000n }),
    holds: (w) => refused(w, 'liveness', 'FUTURE'),
  },
  {
    name: 'an older statement replayed over a newer one',
    mutation: 'newest statement stays',
    lie: async (w) => {
      const old = w.police.freshness(ORIGIN, w.log.at());
      w.clock.pass(20 * 60_000);
      await w.sync();
      w.offer({ freshness: old });
    },
    holds: async (w) => {
      const { state } = await w.standing();
      if (state !== 'FRESH') throw new Error(`is ${state}: the older statement was taken`);
    },
  },
  {
    name: 'the freshness key alone, on a head that nobody sequenced',
    mutation: 'sequencing key signed',
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      const log = w.log.fork();
      log.publish(w.adds(3));
      w.serve(log, [sequencer(w.police.keys.freshness, ORIGIN)]);
    },
  },
]);

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
      freshness(w, { notAfterMs: 4_070_908_800_000n, issuedAtMs: BigInt(w.clock.nowMs() + 1) });
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
