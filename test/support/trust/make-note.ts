/** Vectors of signed notes and checkpoints. Notes are base64, since invalid ones need not be text. */
import {
  ALG_COSIGNATURE,
  ALG_ED25519,
  formatCheckpoint,
  formatNote,
  formatVkey,
  type NoteKey,
  signNote,
  utf8,
} from '../../../sdk/core/index.js';
import { APPROVE_KEY, APPROVER, LIST_KEY, ORIGIN, T0 } from './bodies.js';
import { digestOf, suite, type TestKey, testKey } from './keys.js';

const noteKey = (name: string, algorithm: NoteKey['algorithm'], key: TestKey): NoteKey => ({
  name,
  algorithm,
  publicKey: key.publicKey,
});
const LIST = noteKey(ORIGIN, ALG_ED25519, LIST_KEY);
const APPROVE = noteKey(APPROVER, ALG_COSIGNATURE, APPROVE_KEY);
const WITNESS_KEY = testKey('witness');
const WITNESS = noteKey('witness.example', ALG_COSIGNATURE, WITNESS_KEY);
const TIME = T0 / 1000;

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const vkey = (key: NoteKey): string => formatVkey(suite.sha256, key);

export function makeNote(): unknown {
  const body = formatCheckpoint({ origin: ORIGIN, size: 10, root: digestOf('tree 10') });
  const list = signNote(suite, body, LIST, LIST_KEY.seed);
  const approve = signNote(suite, body, APPROVE, APPROVE_KEY.seed, TIME);
  const witness = signNote(suite, body, WITNESS, WITNESS_KEY.seed, TIME + 1);
  const other = signNote(suite, `${body}x\n`, LIST, LIST_KEY.seed);
  const blob = Buffer.from(list.split(' ')[2]!, 'base64');
  const approveBlob = Buffer.from(approve.split(' ')[2]!, 'base64');
  const plainByApprove = `— ${APPROVER} ${Buffer.concat([approveBlob.subarray(0, 4), suite.ed25519.sign(APPROVE_KEY.seed, utf8(body))]).toString('base64')}`;
  const laterTime = Buffer.from(approveBlob);
  laterTime[11]! ^= 1;
  const keys = [LIST, APPROVE].map(vkey);
  const ok = (why: string, lines: string[], verified: string[], of = keys) => ({
    why,
    note: base64(formatNote(body, lines)),
    keys: of,
    verified,
  });
  const bad = (why: string, note: string | Uint8Array, code: string) => ({
    why,
    note: base64(typeof note === 'string' ? utf8(note) : note),
    keys,
    code,
  });
  const text = (lines: string[]): string => `${body}\n${lines.map((line) => `${line}\n`).join('')}`;
  return {
    body,
    keys: [LIST, APPROVE, WITNESS].map(vkey),
    valid: [
      ok('sequenced', [list], [ORIGIN]),
      ok('sequenced and approved', [list, approve], [ORIGIN, APPROVER]),
      ok('any order', [approve, list], [APPROVER, ORIGIN]),
      ok('a line of an unknown key is ignored', [list, witness], [ORIGIN]),
      ok('a bad signature of an unknown key too', [list, witness.replace(/....$/, 'AAAA')], [ORIGIN]),
      ok('a known name with an unknown key ID', [list, list.replace(/ \S{4}(?=\S*$)/, ' AAAA')], [ORIGIN]),
      ok('one line twice', [list, list], [ORIGIN, ORIGIN]),
      ok(
        'a witness that is known',
        [list, witness],
        [ORIGIN, 'witness.example'],
        [vkey(LIST), vkey(WITNESS)],
      ),
    ],
    invalid: [
      bad('a bad signature of a known key', text([other]), 'BAD_SIGNATURE'),
      bad('a bad one beside a good one', text([list, other]), 'BAD_SIGNATURE'),
      bad(
        'a known cosigner with a changed time',
        text([list, `— ${APPROVER} ${laterTime.toString('base64')}`]),
        'BAD_SIGNATURE',
      ),
      bad('a known cosigner without a time', text([list, plainByApprove]), 'BAD_SIGNATURE'),
      bad(
        'a known key with a short signature',
        text([`— ${ORIGIN} ${blob.subarray(0, 60).toString('base64')}`]),
        'BAD_SIGNATURE',
      ),
      bad('another body', text([list]).replace('\n10\n', '\n11\n'), 'BAD_SIGNATURE'),
      bad('no signature', `${body}\n`, 'MALFORMED'),
      bad('no blank line', `${body}${list}\n`, 'MALFORMED'),
      bad('no final newline', text([list]).slice(0, -1), 'MALFORMED'),
      bad('a line that is no signature', text([list, 'signed, me']), 'MALFORMED'),
      bad('a hyphen for the dash', text([list, list.replace('—', '-')]), 'MALFORMED'),
      bad('two spaces', text([list, list.replace('— ', '—  ')]), 'MALFORMED'),
      bad('a fourth field', text([list, `${list} x`]), 'MALFORMED'),
      bad('a name with a plus', text([list, list.replace('police', 'poli+ce')]), 'MALFORMED'),
      bad('a name with a no-break space', text([list, list.replace('police', 'poli\u00a0ce')]), 'MALFORMED'),
      bad('no name', text([list, list.replace(ORIGIN, '')]), 'MALFORMED'),
      bad(
        'base64 without padding',
        text([list, `— x ${Buffer.alloc(5).toString('base64').slice(0, -1)}`]),
        'MALFORMED',
      ),
      bad('base64 with spare bits', text([list, '— x AAAAAAB=']), 'MALFORMED'),
      bad('a key ID alone', text([list, '— x AAAAAA==']), 'MALFORMED'),
      bad('a carriage return', text([list]).replaceAll('\n', '\r\n'), 'MALFORMED'),
      bad('a tab in the body', text([list]).replace('10', '1\t0'), 'MALFORMED'),
      bad('no UTF-8', Uint8Array.of(...utf8(text([list])), 0xff, 0x0a), 'MALFORMED'),
      bad('65 signatures', text(Array.from({ length: 65 }, () => list)), 'MALFORMED'),
      bad('over 64 KiB', `${'x'.repeat(65_536)}\n${text([list])}`, 'MALFORMED'),
      bad('empty', '', 'MALFORMED'),
    ],
    invalid_vkeys: [
      vkey(LIST).replace('+', '++'),
      vkey(LIST).replace(/\+[0-9a-f]/, (id) => (id === '+0' ? '+1' : '+0')),
      vkey(LIST).toUpperCase(),
      vkey(LIST).slice(0, -1),
      ` ${vkey(LIST)}`,
      `+${vkey(LIST).split('+').slice(1).join('+')}`,
      vkey({ ...LIST, publicKey: new Uint8Array(32) }),
      vkey({ ...LIST, publicKey: new Uint8Array(31).fill(1) }),
      vkey({ ...LIST, algorithm: 2 as 1 }),
      'x',
      '',
    ],
    invalid_checkpoints: [
      body.slice(0, -1),
      `${body}extension\n`,
      body.replace('\n10\n', '\n010\n'),
      body.replace('\n10\n', '\n-1\n'),
      body.replace('\n10\n', '\n+10\n'),
      body.replace('\n10\n', '\n1e1\n'),
      body.replace('\n10\n', '\n9007199254740992\n'),
      body.replace('\n10\n', '\n18446744073709551615\n'),
      body.replace(/[^\n]+\n$/, 'AAAA\n'),
      body.replace('=\n', '\n'),
      `\n10\n${body.split('\n')[2]}\n`,
      '\n',
      '',
    ],
  };
}
