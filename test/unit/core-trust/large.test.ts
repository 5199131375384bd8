import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemberDirectory } from '../../../proto/gen/hashfed/v1/directory.js';
import { DsseEnvelope } from '../../../proto/gen/hashfed/v1/dsse.js';
import { PublisherRoot } from '../../../proto/gen/hashfed/v1/root.js';
import { nextDirectory, nextRoot, parseDsse, startDirectory, startRoot } from '../../../sdk/core/index.js';
import { countField } from '../../../sdk/core/wire.js';
import * as trust from '../../support/trust/bodies.js';
import { suite, testKey } from '../../support/trust/keys.js';
import { refusal } from '../../support/trust/refusal.js';

afterEach(() => vi.restoreAllMocks());

const directory = trust.encodeDirectory(trust.directoryMessage());
const signed = (message: MemberDirectory, keys = [...trust.SIGNERS]) =>
  trust.signBody('directory', trust.encodeDirectory(message), ...keys);
const second = (members: MemberDirectory['members']): MemberDirectory =>
  trust.directoryMessage({ version: 2n, previousSha256: suite.sha256.digest(directory), members });

describe('what a decoder would make a million objects of', () => {
  it('is refused undecoded where an envelope has too many signatures, however it writes them', () => {
    const decode = vi.spyOn(DsseEnvelope, 'decode');
    const many = Buffer.alloc(200_000, Uint8Array.of(0x1a, 0));
    const overlong = Uint8Array.of(0x88, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0);
    for (const envelope of [
      many,
      Buffer.concat([overlong, many]),
      Buffer.concat([Uint8Array.of(0x0b), many]),
    ])
      expect(refusal(() => parseDsse('directory', envelope))).toEqual({
        code: 'MALFORMED',
        field: 'envelope',
      });
    expect(decode).not.toHaveBeenCalled();
  });

  it('is refused undecoded where nobody vouches for a large directory or root', () => {
    const current = startDirectory(suite, signed(trust.directoryMessage()), suite.sha256.digest(directory));
    const empty = trust.directoryMessage().members.slice(0, 1);
    const large = second(Array.from({ length: 3_000 }, () => empty[0]!));
    const decode = [vi.spyOn(MemberDirectory, 'decode'), vi.spyOn(PublisherRoot, 'decode')];
    const unsigned = signed(large, [testKey('stranger')]);
    expect(refusal(() => nextDirectory(suite, current, unsigned)).code).toBe('THRESHOLD_NOT_MET');
    const body = trust.encodeRoot(trust.rootMessage());
    const first = trust.signBody('root', body, ...trust.ROOT_KEYS);
    const root = startRoot(suite, first, suite.sha256.digest(body));
    for (const one of decode) one.mockClear();
    const big = trust.rootMessage({ origins: Array.from({ length: 2_000 }, () => trust.originPolicy()) });
    const envelope = trust.signBody('root', trust.encodeRoot(big), testKey('stranger'));
    expect(refusal(() => nextRoot(suite, root, envelope)).code).toBe('THRESHOLD_NOT_MET');
    for (const one of decode) expect(one).not.toHaveBeenCalled();
  });

  it('is taken where its signers vouch for it', () => {
    const current = startDirectory(suite, signed(trust.directoryMessage()), suite.sha256.digest(directory));
    const { members } = trust.directoryMessage();
    const extra = Array.from({ length: 2_000 }, (_, i) => ({
      ...members[0]!,
      name: `members/z-${String(i).padStart(5, '0')}`,
      signingKeys: [],
      boxKeys: [],
    }));
    const next = nextDirectory(suite, current, signed(second([...members, ...extra])));
    expect(next.members.size).toBe(members.length + 2_000);
    expect(next.body.length).toBeGreaterThan(64 * 1024);
  });
});

it('fields are counted as a decoder finds them', () => {
  const signature = fc.record({
    algorithm: fc.constantFrom(0, 1, 300),
    key: fc.uint8Array({ maxLength: 200 }),
    signature: fc.uint8Array({ maxLength: 5 }),
  });
  const message = fc.record({
    payloadType: fc.string(),
    payload: fc.uint8Array({ maxLength: 300 }),
    signatures: fc.array(signature, { maxLength: 9 }),
  });
  fc.assert(
    fc.property(message, (one) => {
      const bytes = DsseEnvelope.encode(one as DsseEnvelope).finish();
      expect(countField(bytes, 3)).toBe(one.signatures.length);
    }),
  );
});
