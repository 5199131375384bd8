import { checkSwap, type OriginSettings, parseOrigin } from '../../../sdk/core/index.js';
import { FIRST, ORIGIN } from '../../support/liar/index.js';
import { attacks } from './suite.js';

attacks('limits: anchors', [
  {
    name: 'a one-key note as anchor, to forget what one key did',
    mutation: 'served anchor has two keys',
    code: 'THRESHOLD_NOT_MET',
    lie: (w) => {
      const log = w.log.fork();
      log.publish(w.adds(15));
      const anchorNote = w.police.note(ORIGIN, log.at(), w.police.signers(ORIGIN, 'one'));
      log.publish(w.adds(15));
      w.serve(log, 'one', { anchorNote });
    },
  },
  {
    name: 'an anchor larger than the checkpoint',
    mutation: 'served anchor is not larger',
    code: 'MALFORMED',
    lie: (w) => {
      const log = w.log.fork();
      log.publish(w.adds(15));
      const larger = log.fork();
      larger.publish(w.adds(5));
      const anchorNote = w.police.note(ORIGIN, larger.at(), w.police.signers(ORIGIN, 'two'));
      w.serve(log, 'one', { anchorNote });
      w.liar.lies.log = larger;
    },
  },
  {
    name: 'an anchor of another history, met on the way',
    mutation: 'anchor met on the way',
    code: 'ROOT_MISMATCH',
    lie: (w) => {
      const log = w.log.fork();
      log.publish(w.adds(5));
      const forked = w.log.fork();
      forked.publish(w.adds(5));
      const anchorNote = w.police.note(ORIGIN, forked.at(), w.police.signers(ORIGIN, 'two'));
      log.publish(w.adds(15));
      w.serve(log, 'one', { anchorNote });
    },
  },
  {
    name: "an anchor of another history, of the checkpoint's size",
    mutation: 'anchor of the same size',
    code: 'EQUIVOCATION',
    lie: (w) => {
      const [log, forked] = [w.log.fork(), w.log.fork()];
      log.publish(w.adds(5));
      forked.publish(w.adds(5));
      const anchorNote = w.police.note(ORIGIN, forked.at(), w.police.signers(ORIGIN, 'two'));
      w.serve(log, 'one', { anchorNote });
    },
  },
  {
    name: 'a late anchor of another history, below what is held',
    only: 'client',
    mutation: 'late anchor is a prefix',
    code: 'ROOT_MISMATCH',
    prepare: (w) => {
      w.more(5, 'one');
      w.more(5, 'one');
    },
    lie: (w) => {
      const forked = w.log.fork(FIRST + 1);
      forked.publish(w.adds(5));
      const anchorNote = w.police.note(ORIGIN, forked.at(), w.police.signers(ORIGIN, 'two'));
      const log = w.log.fork();
      log.publish(w.adds(15));
      w.serve(log, 'one', { anchorNote });
    },
  },
  {
    name: 'a late anchor of another history, of the size held',
    mutation: 'late anchor of the size held',
    code: 'EQUIVOCATION',
    prepare: (w) => w.more(5, 'one'),
    lie: (w) => {
      const forked = w.log.fork(FIRST + 1);
      forked.publish(w.adds(5));
      const anchorNote = w.police.note(ORIGIN, forked.at(), w.police.signers(ORIGIN, 'two'));
      const log = w.log.fork();
      log.publish(w.adds(15));
      w.serve(log, 'one', { anchorNote });
    },
  },
  {
    name: 'a proof of the wrong length for a late anchor',
    only: 'client',
    mutation: 'consistency proof shape',
    code: 'MALFORMED',
    prepare: (w) => {
      w.more(5, 'one');
      w.more(5, 'one');
    },
    lie: (w) => {
      const anchorNote = w.police.note(ORIGIN, w.log.at(FIRST + 7), w.police.signers(ORIGIN, 'two'));
      const log = w.log.fork();
      log.publish(w.adds(15));
      w.serve(log, 'one', { anchorNote });
      w.liar.lies.proof = (honest) => [...honest(), new Uint8Array(32)];
    },
  },
  {
    name: 'a generation that drops a list, with one key',
    mutation: 'swap needs two keys',
    code: 'THRESHOLD_NOT_MET',
    core: () => {
      const origin = parseOrigin(ORIGIN);
      const settings = { origin, minSigners: 1, oneKeyLimit: undefined } as OriginSettings;
      checkSwap(settings, 1_000, 900, false);
    },
  },
]);
