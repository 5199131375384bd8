import { ALG_ED25519 } from '../../../sdk/core/index.js';
import { ORIGIN, type signedNote, type World } from '../../support/liar/index.js';
import { testKey } from '../../support/trust/keys.js';
import { cosigner } from '../../support/trust/log.js';
import { attacks } from './suite.js';

attacks('content: cosigners', [
  {
    name: 'no cosigner where one is demanded',
    mutation: 'cosigners needed',
    fresh: true,
    options: { cosigners: { keys: [cosigner(testKey('w1'), 'w1').key], needed: 1 } },
    code: 'THRESHOLD_NOT_MET',
    lie: () => {},
    stays: 'cosigned',
  },
  {
    name: 'two keys of one witness where two witnesses are demanded',
    mutation: 'cosigner names distinct',
    fresh: true,
    options: {
      cosigners: { keys: [cosigner(testKey('w1'), 'w1').key, cosigner(testKey('w1b'), 'w1').key], needed: 2 },
    },
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => cosigned(w, [cosigner(testKey('w1'), 'w1', now(w)), cosigner(testKey('w1b'), 'w1', now(w))]),
    stays: 'cosigned',
  },
  {
    name: 'one key of two mirrors under two names',
    mutation: 'one key, one name',
    fresh: true,
    options: {
      cosigners: { keys: [cosigner(testKey('w1'), 'm1').key, cosigner(testKey('w1'), 'm2').key], needed: 2 },
    },
    code: 'MALFORMED',
    lie: (w) => cosigned(w, [cosigner(testKey('w1'), 'm1', now(w)), cosigner(testKey('w1'), 'm2', now(w))]),
    stays: 'cosigned',
  },
  {
    name: 'a cosignature dated 2099',
    mutation: 'cosignature not from the future',
    fresh: true,
    options: { cosigners: { keys: [cosigner(testKey('w1'), 'w1').key], needed: 1 } },
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => cosigned(w, [cosigner(testKey('w1'), 'w1', 4_070_908_800)]),
    stays: 'cosigned',
  },
  {
    name: "the publisher's own approve key as its witness",
    mutation: 'no own key cosigns',
    fresh: true,
    options: {
      cosigners: {
        keys: [cosigner(testKey('police approve'), 'approve.police.example').key],
        needed: 1,
      },
    },
    code: 'MALFORMED',
    lie: () => {},
    stays: 'cosigned',
  },
  {
    name: 'a witness that signs without a time',
    mutation: 'cosigners sign with time',
    fresh: true,
    options: {
      cosigners: {
        keys: [{ name: 'w1', algorithm: ALG_ED25519, publicKey: testKey('w1').publicKey }],
        needed: 1,
      },
    },
    code: 'MALFORMED',
    lie: (w) => {
      const { seed, publicKey } = testKey('w1');
      cosigned(w, [{ key: { name: 'w1', algorithm: ALG_ED25519, publicKey }, seed }]);
    },
    stays: 'cosigned',
  },
]);

function now(w: World): number {
  return Math.floor(w.clock.nowMs() / 1000);
}

function cosigned(w: World, witnesses: Parameters<typeof signedNote>[1]): void {
  const signers = [...w.police.signers(ORIGIN, 'two'), ...witnesses];
  w.offer({ note: w.police.note(ORIGIN, w.log.at(), signers) });
}
