import { describe, expect, it } from 'vitest';
import {
  checkBucket,
  checkBucketDigests,
  checkBundle,
  concat,
  decodeStateHead,
  encodeMeta,
  encodeStateHead,
  fromUtf8,
  headAtSeal,
  ListState,
  metaValue,
  parseOrigin,
  utf8,
} from '../../../sdk/core/index.js';
import { LogBuilder } from '../../support/log-builder.js';
import { testSha256 } from '../../support/sha256.js';

const code = (code: string) => expect.objectContaining({ code });

describe('origins', () => {
  it('are read in full', () => {
    const origin = { domain: 'xn--bcher-kva.example', collection: 'csam', type: 'pdq', generation: 17 };
    expect(parseOrigin('xn--bcher-kva.example/csam/pdq/g17')).toMatchObject(origin);
  });

  it.each([
    '',
    'a/b/sha256',
    'a/b/sha256/g0',
    'a/b/sha256/g01',
    'a/b/sha512/g1',
    'A/b/sha256/g1',
    'a/b.c/sha256/g1',
    'a/b/sha256/g1\n',
    'a/b/sha256/g9007199254740992',
    `${'a'.repeat(65)}/b/md5/g1`,
    `a/${'b'.repeat(33)}/md5/g1`,
    'a//md5/g1',
    'a/b/md5/g1/',
  ])('refuse %j', (text) => {
    expect(() => parseOrigin(text)).toThrow(code('MALFORMED'));
  });
});

describe('text and meta', () => {
  it('is strict UTF-8 both ways', () => {
    for (const text of ['', 'a', 'é', '€', '😀', 'a😀é€'])
      expect([fromUtf8(utf8(text)), [...utf8(text)]]).toEqual([text, [...new TextEncoder().encode(text)]]);
    const bad = [
      [0x80],
      [0xc0, 0x80],
      [0xc3],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe0, 0x80, 0x80],
      [0xff],
    ];
    for (const bytes of bad) expect(() => fromUtf8(Uint8Array.from(bytes))).toThrow(code('MALFORMED'));
    expect(() => utf8('\ud800')).toThrow(code('MALFORMED'));
  });

  it('sorts fields and refuses two of one', () => {
    const meta = encodeMeta([
      { field: 5, value: utf8('label') },
      { field: 1, value: utf8('series') },
    ]);
    expect([meta[0], metaValue(meta, 5)]).toEqual([1, utf8('label')]);
    const one = { field: 1, value: new Uint8Array(0) };
    expect(() => encodeMeta([one, one])).toThrow(code('MALFORMED'));
  });
});

describe('bundles', () => {
  it('are refused when cut short, too long or empty', () => {
    const log = new LogBuilder('a.example/b/md5/g1');
    log.add('a');
    log.add('b');
    const bundle = log.bundle(0, 2, new Set([1]));
    expect(checkBundle(bundle, 2)).toBe(2);
    expect(() => checkBundle(bundle, 1)).toThrow(code('MALFORMED'));
    for (const cut of [0, 1, 2, bundle.length - 1])
      expect(() => checkBundle(bundle.subarray(0, cut), 9)).toThrow(code('MALFORMED'));
  });
});

describe('snapshots', () => {
  function snapshot() {
    const log = new LogBuilder('a.example/b/sha256/g1', 3);
    for (let i = 0; i < 40; i++)
      log.add(`s${i}`, i % 2 === 0 ? { meta: Uint8Array.of(5, 1, 65 + (i % 26)) } : {});
    log.withdraw(3);
    log.seal();
    const state = ListState.empty(log.origin, testSha256);
    const staging = state.stage();
    staging.append(log.bundle(), 0);
    staging.finish();
    staging.commit();
    const parts = Array.from({ length: 8 }, (_, b) => state.bytesOfBucket(b));
    return { state, parts, origin: log.origin, head: state.head };
  }

  it('load, bucket by bucket or at once, from what a seal alone says', () => {
    const { state, parts, origin, head } = snapshot();
    const fresh = headAtSeal(origin.text, head.seal!, head.holds);
    for (const shape of [parts, [concat(...parts)]])
      expect(ListState.fromRecords(origin, testSha256, fresh, shape).count).toBe(39);
    checkBucketDigests(testSha256, head.seal!, state.bucketDigests(), head.holds);
    parts.forEach((part, b) => {
      checkBucket(testSha256, state.bucketDigests(), b, part);
    });
  });

  it('are refused with any byte changed, a record gone, or out of order', () => {
    const { parts, origin, head } = snapshot();
    const whole = concat(...parts);
    for (let at = 0; at < whole.length; at += 13) {
      const bad = whole.slice();
      bad[at] = bad[at]! ^ 1;
      const load = () => ListState.fromRecords(origin, testSha256, head, [bad]);
      expect(load).toThrow(expect.objectContaining({ name: 'HashfedError' }));
    }
    const fewer = [whole.subarray(parts[0]!.length)];
    expect(() => ListState.fromRecords(origin, testSha256, head, fewer)).toThrow(code('ROOT_MISMATCH'));
    const turned = [...parts].reverse();
    expect(() => ListState.fromRecords(origin, testSha256, head, turned)).toThrow(code('MALFORMED'));
  });

  it('have heads that come back from their bytes, and are refused when cut', () => {
    const { head } = snapshot();
    const bytes = encodeStateHead(head);
    expect(encodeStateHead(decodeStateHead(bytes))).toEqual(bytes);
    for (let cut = 0; cut < bytes.length; cut++)
      expect(() => decodeStateHead(bytes.subarray(0, cut))).toThrow(code('MALFORMED'));
    expect(() => decodeStateHead(bytes.with(0, 2))).toThrow(code('MALFORMED'));
    expect(() => decodeStateHead(concat(bytes, Uint8Array.of(0)))).toThrow(code('MALFORMED'));
  });

  it('have heads of any length: one key alone may add seals, and holds on nothing, without end', () => {
    const { head } = snapshot();
    for (let i = 0; i < 200_000; i++) {
      head.counts.mark(head.size + i + 1, i, 39);
      head.counts.held.push({ index: head.size + i, from: 3, to: 4, atMs: i });
    }
    const bytes = encodeStateHead(head);
    expect(decodeStateHead(bytes).counts.held).toHaveLength(200_000);
    expect(Buffer.compare(encodeStateHead(decodeStateHead(bytes)), bytes)).toBe(0);
  });
});
