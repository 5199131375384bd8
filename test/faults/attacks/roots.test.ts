import { type PublisherRoot, RootRole } from '../../../proto/gen/hashfed/v1/root.js';
import type { World } from '../../support/liar/index.js';
import { encodeRoot, grant, pk, signBody } from '../../support/trust/bodies.js';
import { type TestKey, testKey } from '../../support/trust/keys.js';
import { forge, ofRoots, serveRoot } from './lies.js';
import { attacks } from './suite.js';

const [NEW1, NEW2, NEW3] = [testKey('new root 1'), testKey('new root 2'), testKey('new root 3')];
const [NEW4, NEW5, NEW6] = [testKey('new root 4'), testKey('new root 5'), testKey('new root 6')];

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

/** The same root keys under another threshold. */
function withThreshold(w: World, threshold: number): Partial<PublisherRoot> {
  const { roles } = w.police.root;
  return {
    roles: roles.map((one) =>
      one.role === RootRole.ROOT ? grant(RootRole.ROOT, threshold, ...w.police.keys.roots) : one,
    ),
  };
}

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
    name: 'rotation: no key at all',
    mutation: 'an envelope has a signature',
    code: 'MALFORMED',
    lie: (w) => serveRoot(w, forge(w, newRootKeys(w), [])),
  },
  {
    name: 'rotation: one old key, none of the new',
    mutation: 'DSSE threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, newRootKeys(w), ofRoots(w, 0))),
  },
  {
    name: 'rotation: no old key, one of the new',
    mutation: 'DSSE threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, newRootKeys(w), [NEW1])),
  },
  {
    name: 'rotation: two old keys that were replaced one version ago, two of the new',
    mutation: 'old root threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: async (w) => {
      const old = ofRoots(w, 0, 1);
      w.police.rotate(newRootKeys(w), [...old, NEW1, NEW2]);
      w.police.keys.roots = [NEW1, NEW2, NEW3];
      await w.sync();
      const next = newRootKeys(w, [NEW4, NEW5, NEW6]);
      serveRoot(w, forge(w, next, [...old, NEW4, NEW5]));
    },
  },
  {
    name: 'rotation: the threshold lowered to one, by one old key',
    mutation: 'old root threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, withThreshold(w, 1), ofRoots(w, 0))),
  },
  {
    name: 'rotation: the threshold raised to three, by two keys',
    mutation: 'new root threshold',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => serveRoot(w, forge(w, withThreshold(w, 3), ofRoots(w, 0, 1))),
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
    mutation: 'pinned publisher',
    fresh: true,
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      w.liar.lies.root = () => w.hotline.roots[0]!.envelope;
    },
  },
]);
