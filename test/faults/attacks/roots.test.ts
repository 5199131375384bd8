import { SignatureAlgorithm } from '../../../proto/gen/hashfed/v1/enums.js';
import { type PublisherRoot, RootRole } from '../../../proto/gen/hashfed/v1/root.js';
import { ORIGIN, type World } from '../../support/liar/index.js';
import { encodeRoot, former, grant, pk, signBody } from '../../support/trust/bodies.js';
import { digestOf, type TestKey, testKey } from '../../support/trust/keys.js';
import { cosigner, sequencer } from '../../support/trust/log.js';
import { attacks } from './suite.js';

const [NEW1, NEW2, NEW3] = [testKey('new root 1'), testKey('new root 2'), testKey('new root 3')];
const NEW_LIST = testKey('new list');

/** The server says that there is a version 2, and serves this as it. */
function serveRoot(w: World, envelope: Uint8Array): void {
  w.offer(({ rootVersion }) => ({ rootVersion: rootVersion + 1n }));
  const newest = w.police.roots.length;
  w.liar.lies.root = (version, publisher, honest) =>
    version === newest + 1 && publisher === w.police.name ? envelope : honest();
}

const forge = (w: World, bend: Partial<PublisherRoot>, signers?: readonly TestKey[]): Uint8Array =>
  w.police.nextRoot(bend, signers).envelope;

/** Root keys of another set, threshold 2 of 3. */
function newRootKeys(w: World, keys: readonly TestKey[] = [NEW1, NEW2, NEW3]): Partial<PublisherRoot> {
  const { root } = w.police;
  const own = new Set(w.police.keys.roots.map(({ publicKey }) => Buffer.from(publicKey).toString('hex')));
  const rest = root.keys.filter(({ key }) => !own.has(Buffer.from(key).toString('hex')));
  return {
    keys: [...rest, ...keys.map((key) => pk(key))],
    roles: root.roles.map((one) => (one.role === RootRole.ROOT ? grant(RootRole.ROOT, 2, ...keys) : one)),
  };
}

const ofRoots = (w: World, ...at: number[]): TestKey[] => at.map((i) => w.police.keys.roots[i]!);

attacks('roots: who signed', [
  {
    name: 'a next root by one of two root keys',
    mutation: 'DSSE threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, {}, ofRoots(w, 0))),
  },
  {
    name: 'a next root by one key twice',
    mutation: 'distinct DSSE keys',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, {}, ofRoots(w, 0, 0))),
  },
  {
    name: 'a next root by one root key and the sequencing key',
    mutation: 'DSSE threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, {}, [w.police.keys.roots[0], w.police.keys.list])),
  },
  {
    name: 'a next root by two keys that nobody knows',
    mutation: 'DSSE threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, {}, [NEW1, NEW2])),
  },
  {
    name: 'a next root with a bad signature beside a good one',
    mutation: 'DSSE signature',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => {
      const [a, b] = w.police.keys.roots;
      const signer = { publicKey: b.publicKey, sign: () => a.signer.sign(new Uint8Array(1)) };
      serveRoot(w, forge(w, {}, [a, { ...b, signer }]));
    },
  },
  {
    name: 'rotation: two old keys, none of the new',
    mutation: 'new root threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, newRootKeys(w), ofRoots(w, 0, 1))),
  },
  {
    name: 'rotation: two old keys, one of the new',
    mutation: 'new root threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, newRootKeys(w), [...ofRoots(w, 0, 1), NEW1])),
  },
  {
    name: 'rotation: no old key, two of the new',
    mutation: 'old root threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, newRootKeys(w), [NEW1, NEW2])),
  },
  {
    name: 'rotation: one old key, two of the new',
    mutation: 'old root threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, newRootKeys(w), [...ofRoots(w, 2), NEW1, NEW2])),
  },
  {
    name: 'rotation: one old key, one of the new',
    mutation: 'DSSE threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, newRootKeys(w), [...ofRoots(w, 0), NEW1])),
  },
  {
    name: 'rotation: one old key that stays, with two of the new',
    mutation: 'old root threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => {
      const keys = [w.police.keys.roots[0], NEW1, NEW2];
      serveRoot(w, forge(w, newRootKeys(w, keys), keys));
    },
  },
  {
    name: 'a first root other than the pinned one',
    mutation: 'pinned fingerprint',
    fresh: true,
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      const message = { ...w.police.root, ...newRootKeys(w) };
      w.liar.lies.root = () => signBody('root', encodeRoot(message), NEW1, NEW2);
    },
  },
  {
    name: "another publisher's root",
    mutation: 'pinned fingerprint',
    fresh: true,
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      w.liar.lies.root = () => w.hotline.roots[0]!.envelope;
    },
  },
]);

attacks('roots: what they say', [
  {
    name: 'an older root version',
    mutation: 'root never goes back',
    code: 'ROLLBACK',
    prepare: (w) => w.police.rotate({}),
    lie: (w) => serveRoot(w, w.police.roots[0]!.envelope),
  },
  {
    name: 'an older root version after a restart',
    mutation: 'root never goes back',
    code: 'ROLLBACK',
    prepare: (w) => w.police.rotate({}),
    lie: async (w) => {
      await w.victim.restart();
      serveRoot(w, w.police.roots[0]!.envelope);
    },
  },
  {
    name: 'the root version held already, as the next one',
    mutation: 'root held already',
    code: 'BAD_SIGNATURE',
    prepare: (w) => w.police.rotate({}),
    lie: (w) => serveRoot(w, w.police.roots[1]!.envelope),
  },
  {
    name: 'two roots of one version',
    mutation: 'two roots of one version',
    code: 'EQUIVOCATION',
    prepare: (w) => w.police.rotate({}),
    lie: (w) => {
      const message = { ...w.police.root, expiresMs: w.police.root.expiresMs + 1n };
      serveRoot(w, signBody('root', encodeRoot(message), ...ofRoots(w, 0, 1)));
    },
  },
  {
    name: 'a root version skipped',
    mutation: 'next root version only',
    code: 'BAD_SIGNATURE',
    lie: (w) => serveRoot(w, forge(w, { version: 3n })),
  },
  {
    name: 'a root that follows another body',
    mutation: 'previous root named',
    code: 'BAD_SIGNATURE',
    lie: (w) => serveRoot(w, forge(w, { previousSha256: digestOf('other') })),
  },
  {
    name: 'a next root of another publisher',
    mutation: 'same publisher',
    code: 'BAD_SIGNATURE',
    lie: (w) => serveRoot(w, forge(w, { publisher: 'members/hotline' })),
  },
  {
    name: 'a root that names its publisher by a path',
    mutation: 'member name shape',
    code: 'MALFORMED',
    lie: (w) => serveRoot(w, forge(w, { publisher: 'members/../police' })),
  },
  {
    name: 'a root that names a list by a path',
    mutation: 'origin shape',
    code: 'MALFORMED',
    lie: (w) => {
      const own = w.police.root.origins;
      serveRoot(
        w,
        forge(w, { origins: [...own, w.police.policy({ origin: 'police.example/../sha256/g1' })] }),
      );
    },
  },
  {
    name: 'a root with a key of small order',
    mutation: 'strong keys only',
    code: 'MALFORMED',
    lie: (w) => {
      const weak = { algorithm: SignatureAlgorithm.ED25519, key: new Uint8Array(32), name: '' };
      const { root } = w.police;
      const roles = root.roles.map((one) =>
        one.role === RootRole.ROOT ? { ...one, keys: [weak.key, ...one.keys] } : one,
      );
      serveRoot(w, forge(w, { keys: [...root.keys, weak], roles }));
    },
  },
  {
    name: 'a root whose threshold is 0',
    mutation: 'grant threshold',
    code: 'MALFORMED',
    lie: (w) => {
      const roles = w.police.root.roles.map((one) =>
        one.role === RootRole.APPROVE ? { ...one, threshold: 0 } : one,
      );
      serveRoot(w, forge(w, { roles }));
    },
  },
  {
    name: 'a root in which one key stands twice',
    mutation: 'key listed once',
    code: 'MALFORMED',
    lie: (w) => serveRoot(w, forge(w, { keys: [...w.police.root.keys, w.police.root.keys[0]!] })),
  },
  {
    name: 'a root in which one key has two roles',
    mutation: 'one role per key',
    code: 'MALFORMED',
    lie: (w) => {
      const { list } = w.police.keys;
      const live = Buffer.from(w.police.keys.live.publicKey);
      const keys = w.police.root.keys.filter(({ key }) => Buffer.compare(key, live) !== 0);
      const roles = w.police.root.roles.map((one) =>
        one.role === RootRole.LIVE ? grant(RootRole.LIVE, 1, list) : one,
      );
      serveRoot(w, forge(w, { keys, roles }));
    },
  },
  {
    name: 'a root with a field that nobody knows',
    mutation: 'canonical body',
    code: 'MALFORMED',
    lie: (w) => {
      const { message } = w.police.nextRoot({});
      const body = Uint8Array.of(...encodeRoot(message), 0xfa, 0x01, 0);
      serveRoot(w, signBody('root', body, ...ofRoots(w, 0, 1)));
    },
  },
  {
    name: 'an envelope with bytes behind it',
    mutation: 'canonical body',
    code: 'MALFORMED',
    lie: (w) => serveRoot(w, Uint8Array.of(...forge(w, {}), 0xfa, 0x01, 0)),
  },
  {
    name: 'a directory signed by the root keys, as a root',
    mutation: 'kind of body',
    code: 'MALFORMED',
    lie: (w) => {
      const { message } = w.police.nextRoot({});
      serveRoot(w, signBody('directory', encodeRoot(message), ...ofRoots(w, 0, 1)));
    },
  },
  {
    name: 'a generation skipped',
    mutation: 'generation steps by one',
    code: 'MALFORMED',
    lie: (w) => {
      const succeeds = { origin: ORIGIN.replace('g1', 'g2'), size: 1n, root: digestOf('x') };
      const g3 = w.police.policy({ origin: ORIGIN.replace('g1', 'g3'), succeeds });
      const rest = w.police.root.origins.filter(({ origin }) => origin !== ORIGIN);
      serveRoot(w, forge(w, { origins: [...rest, g3] }));
    },
  },
]);

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
void cosigner;
