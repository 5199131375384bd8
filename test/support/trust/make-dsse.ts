/** Vectors of DSSE envelopes. The bodies are freshness statements; the keys are A, B and C. */
import { DsseEnvelope } from '../../../proto/gen/hashfed/v1/dsse.js';
import { packDsse, parseDsse } from '../../../sdk/core/index.js';
import { encodeFreshness, freshnessMessage, signBody } from './bodies.js';
import { digestOf, testKey } from './keys.js';
import { hex } from './vectors.js';

const [A, B, C] = [testKey('dsse A'), testKey('dsse B'), testKey('dsse C')];

export function makeDsse(): unknown {
  const body = encodeFreshness(freshnessMessage(digestOf('root')));
  const of = (envelope: Uint8Array) => parseDsse('freshness', envelope).signatures;
  const [a, b, c] = [A, B, C].map((key) => of(signBody('freshness', body, key))[0]!) as [
    ReturnType<typeof of>[0],
    ReturnType<typeof of>[0],
    ReturnType<typeof of>[0],
  ];
  const wrongKind = parseDsse('liveness', signBody('liveness', body, A)).signatures[0]!;
  const broken = { key: A.publicKey, signature: a.signature.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) };
  const pack = (...signatures: (typeof a)[]): Uint8Array => packDsse('freshness', body, signatures);
  const keys = [A, B].map((key) => hex(key.publicKey));
  const vector = (why: string, envelope: Uint8Array, threshold: number, code = 'accepted', of = keys) => ({
    why,
    kind: 'freshness',
    envelope: hex(envelope),
    keys: of,
    threshold,
    code,
  });
  const message = DsseEnvelope.decode(pack(a));
  const bent = (bend: Partial<DsseEnvelope>): Uint8Array =>
    DsseEnvelope.encode({ ...message, ...bend }).finish();
  const foreign = message.signatures.map((one) => ({ ...one, algorithm: 9 as 1 }));
  return {
    body: hex(body),
    valid: [
      vector('one of one', pack(a), 1),
      vector('one of two', pack(b), 1),
      vector('two of two', pack(a, b), 2),
      vector('a bad signature beside enough good ones', pack(broken, b), 1),
      vector('a bad signature before a good one of the same key', pack(broken, a), 1),
      vector('a foreign key beside', pack(c, a, b), 2),
    ],
    invalid: [
      vector('too few', pack(a), 2, 'THRESHOLD_NOT_MET'),
      vector('one key twice', pack(a, a), 2, 'THRESHOLD_NOT_MET'),
      vector('one key twice in the key set', pack(a), 2, 'THRESHOLD_NOT_MET', [keys[0]!, keys[0]!]),
      vector('a foreign key', pack(c), 1, 'THRESHOLD_NOT_MET'),
      vector('a bad signature', pack(broken), 1, 'THRESHOLD_NOT_MET'),
      vector('signed as another kind', pack(wrongKind), 1, 'THRESHOLD_NOT_MET'),
      vector(
        "another key's signature under a known key",
        pack({ ...c, key: A.publicKey }),
        1,
        'THRESHOLD_NOT_MET',
      ),
      vector(
        'another body',
        bent({ payload: body.map((x, i) => (i === 5 ? x ^ 1 : x)) }),
        1,
        'THRESHOLD_NOT_MET',
      ),
      vector('an unknown algorithm', bent({ signatures: foreign }), 1, 'THRESHOLD_NOT_MET'),
      vector('threshold 0', pack(a), 0, 'THRESHOLD_NOT_MET'),
      vector('no key', pack(a), 1, 'THRESHOLD_NOT_MET', []),
      vector('of another kind', signBody('liveness', body, A), 1, 'MALFORMED'),
      vector(
        'of another version',
        bent({ payloadType: 'application/vnd.hashfed.freshness+proto;v=2' }),
        1,
        'MALFORMED',
      ),
      vector('no signature', pack(), 1, 'MALFORMED'),
      vector('65 signatures', pack(...Array.from({ length: 65 }, () => a)), 1, 'MALFORMED'),
      vector('trailing bytes', Uint8Array.of(...pack(a), 0), 1, 'MALFORMED'),
      vector('an unknown field', Uint8Array.of(...pack(a), 0x7a, 1, 0), 1, 'MALFORMED'),
      vector(
        'a repeated single field',
        Uint8Array.of(...pack(a), ...bent({ payload: new Uint8Array(0), signatures: [] })),
        1,
        'MALFORMED',
      ),
      vector('truncated', pack(a).slice(0, -1), 1, 'MALFORMED'),
      vector('empty', new Uint8Array(0), 1, 'MALFORMED'),
    ],
  };
}
