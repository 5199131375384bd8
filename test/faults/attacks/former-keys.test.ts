import { RootRole } from '../../../proto/gen/hashfed/v1/root.js';
import { FIRST, ORIGIN, type World } from '../../support/liar/index.js';
import { former, pk } from '../../support/trust/bodies.js';
import { testKey } from '../../support/trust/keys.js';
import { sequencer } from '../../support/trust/log.js';
import { forge, serveRoot } from './lies.js';
import { attacks } from './suite.js';

const NEW_LIST = testKey('new list');

/** Root version 2 in which the sequencing key was replaced. */
function replaceList(w: World, lastGood?: { size: number; root: Uint8Array }, revoked = true): void {
  const { list } = w.police.keys;
  const keys = { ...w.police.keys, list: NEW_LIST };
  const origins = w.police.root.origins.map((one) => ({ ...one, sequencingKey: NEW_LIST.publicKey }));
  const entry = (state: { size: number; root: Uint8Array }) =>
    former(list, { lastGoodSize: BigInt(state.size), lastGoodRoot: state.root, revoked });
  w.police.rotate({
    ...w.police.rootWith(keys),
    origins,
    former: lastGood === undefined ? [] : [entry(lastGood)],
  });
  w.police.keys.list = NEW_LIST;
}

const oldList = testKey('police list');

attacks('roots: keys that left', [
  {
    name: 'a revoked key extends the list beyond its last good state',
    mutation: 'former keys on prefixes only',
    code: 'KEY_REVOKED',
    lie: (w) => {
      replaceList(w, w.log.at());
      w.more();
      w.offer({ note: w.police.note(ORIGIN, w.log.at(), [sequencer(oldList, ORIGIN)]) });
    },
  },
  {
    name: 'a revoked key forks the list below its last good state, told to a newcomer',
    mutation: 'former keys on prefixes only',
    fresh: true,
    code: 'KEY_REVOKED',
    lie: (w) => {
      w.more(10, 'two');
      replaceList(w, w.log.at());
      const forked = w.log.fork(0);
      forked.publish(w.adds(3));
      w.serve(forked, [sequencer(oldList, ORIGIN), w.police.approval()]);
      w.liar.lies.proof = () => [];
    },
  },
  {
    name: 'a revoked key signs another root of its last good size',
    mutation: 'last good root',
    fresh: true,
    code: 'KEY_REVOKED',
    lie: (w) => {
      replaceList(w, w.log.at());
      const forked = w.log.fork(0);
      forked.publish(w.adds(w.log.size - 1));
      w.serve(forked, [sequencer(oldList, ORIGIN), w.police.approval()], {
        freshness: new Uint8Array(),
        liveness: new Uint8Array(),
      });
    },
  },
  {
    name: 'a key removed from the root while its list is still held',
    mutation: 'sequencing key signed',
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      replaceList(w);
      w.more();
      w.offer({ note: w.police.note(ORIGIN, w.log.at(), [sequencer(oldList, ORIGIN)]) });
    },
  },
  {
    name: 'a removed approve key beside the sequencing key, for a big change',
    mutation: 'limit for one key',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => {
      const old = w.police.approval();
      const keys = { ...w.police.keys, approve: testKey('new approve') };
      w.police.rotate(w.police.rootWith(keys));
      w.police.keys.approve = keys.approve;
      w.police.commit(ORIGIN, w.log.size, 'two');
      const big = w.log.fork();
      big.publish(w.adds(40));
      w.serve(big, [...w.police.signers(ORIGIN, 'one'), old]);
    },
  },
  {
    name: 'both stolen keys made an anchor; one of them goes on from it after the other was revoked',
    mutation: 'limit for one key',
    code: 'THRESHOLD_NOT_MET',
    prepare: (w) => w.more(15, 'two'),
    lie: (w) => {
      const approve = pk(w.police.keys.approve, w.police.approver);
      const good = w.log.at(FIRST + 1);
      const entry = { lastGoodSize: BigInt(good.size), lastGoodRoot: good.root, role: RootRole.APPROVE };
      w.police.rotate({
        ...w.police.rootWith({ ...w.police.keys, approve: testKey('new approve') }),
        former: [former(w.police.keys.approve, { ...entry, key: approve })],
      });
      w.offer({ anchorNote: w.police.heads.get(ORIGIN)![0]!.note });
    },
    act: async (w) => {
      const anchorNote = w.police.heads.get(ORIGIN)![0]!.note;
      await w.sync();
      await w.victim.restart();
      w.police.keys.approve = testKey('new approve');
      const more = w.log.fork();
      more.publish(w.adds(15));
      w.serve(more, 'one', { anchorNote });
      await w.sync();
    },
  },
  {
    name: 'a root that drops a former key',
    mutation: 'former keys kept',
    code: 'MALFORMED',
    prepare: (w) => replaceList(w, w.log.at()),
    lie: (w) => serveRoot(w, forge(w, { former: [] })),
  },
  {
    name: 'a root that moves a last good state',
    mutation: 'former keys kept',
    code: 'MALFORMED',
    prepare: (w) => replaceList(w, w.log.at()),
    lie: (w) => {
      const [one] = w.police.root.former;
      serveRoot(w, forge(w, { former: [{ ...one!, lastGoodSize: 99n }] }));
    },
  },
  {
    name: 'a root that takes a revocation back',
    mutation: 'former keys kept',
    code: 'MALFORMED',
    prepare: (w) => replaceList(w, w.log.at()),
    lie: (w) => {
      const [one] = w.police.root.former;
      serveRoot(w, forge(w, { former: [{ ...one!, revoked: false }] }));
    },
  },
  {
    name: 'a freshness statement by a key that left the root',
    mutation: 'statements under a new root',
    lie: async (w) => {
      const keys = { ...w.police.keys, freshness: testKey('new freshness') };
      w.police.rotate(w.police.rootWith(keys));
      w.offer({ freshness: new Uint8Array() });
      await w.sync();
    },
    holds: async (w) => {
      w.police.keys.freshness = testKey('new freshness');
      const { state, causes } = await w.standing();
      if (state === 'FRESH' || !causes.includes('FRESHNESS')) throw new Error(`still ${state}`);
    },
  },
]);
