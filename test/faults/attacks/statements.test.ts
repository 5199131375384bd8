import { HOUR, ORIGIN, type World } from '../../support/liar/index.js';
import {
  encodeFreshness,
  encodeLiveness,
  freshnessMessage,
  livenessMessage,
  signBody,
} from '../../support/trust/bodies.js';
import { testKey } from '../../support/trust/keys.js';
import { sequencer } from '../../support/trust/log.js';
import { refused } from './lies.js';
import { attacks } from './suite.js';

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
