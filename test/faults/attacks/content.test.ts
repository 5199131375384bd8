import {
  formatCheckpoint,
  formatNote,
  noteKeyId,
  parseNote,
  portableSuite,
  signNote,
  toBase64,
  verifyNote,
} from '../../../sdk/core/index.js';
import { HOTLINE, ORIGIN, OTHER, signedNote, type World } from '../../support/liar/index.js';
import { suite, testKey } from '../../support/trust/keys.js';
import { sequencer } from '../../support/trust/log.js';
import { attacks } from './suite.js';

const THIEF = testKey('thief');
const thief = sequencer(THIEF, ORIGIN);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const bytes = (note: string): Uint8Array => new Uint8Array(Buffer.from(note, 'utf8'));

/** The honest next checkpoint, under a body that the sequencing key signs as it stands. */
function body(w: World, bend: (body: string) => string): void {
  w.more();
  const honest = formatCheckpoint({ origin: ORIGIN, ...w.log.at() });
  w.offer({ note: signedNote(bend(honest), w.police.signers(ORIGIN, 'one')) });
}

/** The honest next note, its text bent. */
function note(w: World, bend: (note: string) => string): void {
  w.more();
  w.offer(({ note: honest }) => ({ note: bytes(bend(text(honest))) }));
}

/** A signature line whose 64 bytes are somebody else's. */
function badLine(w: World, of: 'list' | 'approve'): string {
  const honest = of === 'list' ? sequencer(w.police.keys.list, ORIGIN) : w.police.approval();
  const made = signNote(suite, 'other\nbytes\n', honest.key, honest.seed, honest.timeS);
  return made;
}

/** S + L instead of S: the same statement under a second signature. */
function malleate(signature: Uint8Array): Uint8Array {
  const L = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex');
  const out = signature.slice();
  let carry = 0;
  for (let i = 0; i < 32; i += 1) {
    const sum = out[32 + i]! + L[i]! + carry;
    out[32 + i] = sum & 0xff;
    carry = sum >> 8;
  }
  return out;
}

attacks('content: notes', [
  {
    name: 'a checkpoint that nobody signed',
    mutation: 'a note has a signature',
    code: 'MALFORMED',
    lie: (w) => note(w, (honest) => honest.slice(0, honest.indexOf('\n\n') + 2)),
  },
  {
    name: 'a checkpoint that only an unknown key signed',
    mutation: 'sequencing key signed',
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      w.more();
      w.offer({ note: w.police.note(ORIGIN, w.log.at(), [thief]) });
    },
  },
  {
    name: 'a checkpoint that only the approve key signed',
    mutation: 'sequencing key signed',
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      w.more();
      w.offer({ note: w.police.note(ORIGIN, w.log.at(), [w.police.approval()]) });
    },
  },
  {
    name: "a checkpoint that the sequencing key signed under another list's name",
    mutation: 'sequencing key signed',
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      w.more();
      w.offer({ note: w.police.note(ORIGIN, w.log.at(), [sequencer(w.police.keys.list, OTHER)]) });
    },
  },
  {
    name: "a checkpoint that another publisher's sequencing key signed",
    mutation: 'sequencing key signed',
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      w.more();
      w.offer({ note: w.police.note(ORIGIN, w.log.at(), [sequencer(w.hotline.keys.list, ORIGIN)]) });
    },
  },
  {
    name: 'a checkpoint that the live key signed',
    mutation: 'sequencing key signed',
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      w.more();
      w.offer({ note: w.police.note(ORIGIN, w.log.at(), [sequencer(w.police.keys.live, ORIGIN)]) });
    },
  },
  {
    name: 'the sequencing key signed other bytes',
    mutation: 'bad list signature rejects',
    code: 'BAD_SIGNATURE',
    lie: (w) => note(w, (honest) => honest.replace(/\n\d+\n/, '\n999\n')),
  },
  {
    name: 'a bad signature of the sequencing key beside a good one',
    mutation: 'bad list signature rejects',
    code: 'BAD_SIGNATURE',
    lie: (w) => note(w, (honest) => `${honest}${badLine(w, 'list')}\n`),
  },
  {
    name: 'a bad signature of the approve key beside a good sequencing one',
    mutation: 'bad cosignature rejects',
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      const big = w.log.fork();
      big.publish(w.adds(30));
      w.serve(big, 'one');
      const honest = text(w.police.note(ORIGIN, big.at(), w.police.signers(ORIGIN, 'one')));
      w.serve(big, 'one', { note: bytes(`${honest}${badLine(w, 'approve')}\n`) });
    },
  },
  {
    name: 'a malleated signature of the sequencing key',
    mutation: 'reduced scalar',
    options: { suite: portableSuite },
    code: 'BAD_SIGNATURE',
    lie: (w) =>
      note(w, (honest) => {
        const { body: signed, signatures } = parseNote(bytes(honest));
        const { key } = sequencer(w.police.keys.list, ORIGIN);
        const blob = Buffer.concat([noteKeyId(suite.sha256, key), malleate(signatures[0]!.bytes)]);
        return `${signed}\n— ${ORIGIN} ${toBase64(blob)}\n`;
      }),
  },
  {
    name: "the head of another list under this list's key",
    mutation: 'origin in the note',
    code: 'BAD_SIGNATURE',
    lie: (w) => {
      const other = formatCheckpoint({ origin: OTHER, ...w.police.log(OTHER).at() });
      w.offer({ note: signedNote(other, w.police.signers(ORIGIN, 'two')), origin: ORIGIN });
    },
  },
  {
    name: 'the whole answer of another list',
    mutation: 'origin of the answer',
    code: 'MALFORMED',
    lie: (w) => w.offer(() => w.liar.honestBundle(OTHER)),
  },
  {
    name: "the head of another publisher's list",
    mutation: 'origin of the answer',
    code: 'MALFORMED',
    lie: (w) => w.offer(() => w.liar.honestBundle(HOTLINE)),
  },
  {
    name: 'a line that is no signature line',
    mutation: 'signature lines only',
    code: 'MALFORMED',
    lie: (w) => note(w, (honest) => `${honest}- somebody AAAAAAAAAAA=\n`),
  },
  {
    name: 'a control character in a name',
    mutation: 'no control characters',
    code: 'MALFORMED',
    lie: (w) => note(w, (honest) => `${honest}— some\u0001body AAAAAAAAAAA=\n`),
  },
  {
    name: 'a fourth line in the body',
    mutation: 'three body lines',
    code: 'MALFORMED',
    lie: (w) => body(w, (honest) => `${honest}extension\n`),
  },
  {
    name: 'a size with a leading zero',
    mutation: 'size in decimal below 2^53',
    code: 'MALFORMED',
    lie: (w) => body(w, (honest) => honest.replace(/\n(\d+)\n/, '\n0$1\n')),
  },
  {
    name: 'a root in base64 with spare bits',
    mutation: 'canonical base64',
    code: 'MALFORMED',
    lie: (w) =>
      body(w, (honest) =>
        honest.replace(/(.)=\n$/, (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=\n`),
      ),
  },
  {
    name: 'a root of 33 bytes',
    mutation: 'root of 32 bytes',
    code: 'MALFORMED',
    lie: (w) => {
      w.more();
      const root = toBase64(Uint8Array.of(...w.log.at().root, 0));
      const long = `${ORIGIN}\n${w.log.size}\n${root}\n`;
      w.offer({ note: signedNote(long, w.police.signers(ORIGIN, 'one')) });
    },
  },
  {
    name: 'a note of more than 64 KiB',
    mutation: 'note length',
    code: 'MALFORMED',
    lie: (w) => note(w, (honest) => `${honest}— ${'x'.repeat(70_000)} AAAAAAAAAAA=\n`),
  },
  {
    name: 'a note with thousands of signature lines',
    mutation: 'signature line count',
    code: 'MALFORMED',
    lie: (w) => note(w, (honest) => `${honest}${'— x AAAAAAAAAAA=\n'.repeat(2_000)}`),
  },
]);

attacks('content: notes, told to the core', [
  {
    name: 'a note over the limit that no source can carry',
    mutation: 'note length',
    code: 'MALFORMED',
    core: () => {
      const line = signNote(suite, 'a\n', thief.key, thief.seed);
      const padding = `— ${'y'.repeat(65_536)} AAAAAAAAAAA=`;
      return verifyNote(suite, formatNote('a\n', [line, padding]), [thief.key]);
    },
  },
]);
