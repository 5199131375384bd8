import { SignatureAlgorithm } from '../../../proto/gen/hashfed/v1/enums.js';
import { RootRole } from '../../../proto/gen/hashfed/v1/root.js';
import { ORIGIN } from '../../support/liar/index.js';
import { encodeRoot, grant, signBody } from '../../support/trust/bodies.js';
import { digestOf } from '../../support/trust/keys.js';
import { forge, ofRoots, serveRoot } from './lies.js';
import { attacks } from './suite.js';

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
