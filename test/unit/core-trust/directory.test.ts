import { describe, expect, it } from 'vitest';
import {
  activeMember,
  boxKeyAt,
  isDirectoryExpired,
  type Member,
  mayPublish,
  mayRead,
  nextDirectory,
  parseDirectory,
  parseOrigin,
  portableSha256,
  signingKeysAt,
  startDirectory,
} from '../../../sdk/core/index.js';
import { DAY, directoryMessage, encodeDirectory, T0 } from '../../support/trust/bodies.js';
import { suite } from '../../support/trust/keys.js';
import { refusal } from '../../support/trust/refusal.js';
import { hex, readVectors, unhex } from '../../support/trust/vectors.js';

interface Chain {
  readonly why: string;
  readonly chain: string[];
  readonly pinned: string;
  readonly version?: number;
  readonly code?: string;
}
interface File {
  readonly chains: { valid: Chain[]; invalid: Chain[] };
  readonly bodies: { valid: string[]; invalid: { body: string; field: string }[] };
}
const vectors = readVectors<File>('directory/directories');

function walk({ chain, pinned }: Chain) {
  const [first, ...rest] = chain.map(unhex);
  return rest.reduce(
    (held, next) => nextDirectory(suite, held, next),
    startDirectory(suite, first!, unhex(pinned)),
  );
}

describe('directory chains', () => {
  it.each(vectors.chains.valid)('accept: $why', (one) => {
    expect(walk(one).version).toBe(one.version);
  });

  it.each(vectors.chains.invalid)('refuse: $why', (one) => {
    expect(refusal(() => walk(one)).code).toBe(one.code);
  });
});

describe('directory bodies', () => {
  it.each(vectors.bodies.valid)('accept %#', (body) => {
    expect(hex(parseDirectory(portableSha256, unhex(body)).body)).toBe(body);
  });

  it.each(vectors.bodies.invalid)('refuse by name: $field', ({ body, field }) => {
    expect(refusal(() => parseDirectory(portableSha256, unhex(body)))).toEqual({ code: 'MALFORMED', field });
  });
});

describe('members', () => {
  const directory = parseDirectory(portableSha256, encodeDirectory(directoryMessage()));
  const hoster = directory.members.get('members/hoster-1') as Member;

  it('act while active and valid', () => {
    expect(activeMember(directory, 'members/hoster-1', T0)).toBe(hoster);
    expect(activeMember(directory, 'members/hoster-1', T0 - 1)).toBeUndefined();
    expect(activeMember(directory, 'members/stranger', T0)).toBeUndefined();
    const at = (member: Partial<Member>) =>
      activeMember({ ...directory, members: new Map([['m', { ...hoster, ...member }]]) }, 'm', T0 + 5);
    expect(at({ status: 'suspended' })).toBeUndefined();
    expect(at({ validUntilMs: T0 + 5 })).toBeUndefined();
    expect(at({ validUntilMs: T0 + 6 })).toBeDefined();
    expect(isDirectoryExpired(directory, T0 + 365 * DAY - 1)).toBe(false);
    expect(isDirectoryExpired(directory, T0 + 365 * DAY)).toBe(true);
  });

  it('read what they are granted, in every generation', () => {
    const may = (origin: string, readableLists = hoster.readableLists): boolean =>
      mayRead({ ...hoster, readableLists }, parseOrigin(origin));
    expect(may('police.example/abuse/md5/g1')).toBe(true);
    expect(may('selftest.example/selftest/sha256/g7')).toBe(true);
    expect(may('selftest.example/selftest/md5/g1')).toBe(false);
    expect(may('police.example/other/md5/g1')).toBe(false);
    expect(may('police.example/other/md5/g1', ['police.example/*'])).toBe(true);
    expect(may('any.example/other/md5/g1', ['*'])).toBe(true);
    expect(may('police.example/abuse/md5/g1', [])).toBe(false);
  });

  it('publish in their own domains', () => {
    const police = directory.members.get('members/police') as Member;
    expect(mayPublish(police, parseOrigin('police.example/abuse/md5/g1'))).toBe(true);
    expect(mayPublish(police, parseOrigin('hotline.example/abuse/md5/g1'))).toBe(false);
    expect(mayPublish({ ...police, roles: ['hoster'] }, parseOrigin('police.example/abuse/md5/g1'))).toBe(
      false,
    );
  });

  it('sign and receive with the keys of the moment', () => {
    const key = (validFromMs: number, validUntilMs: number, usable = true, at = validFromMs) => ({
      key: Uint8Array.of(at),
      usable,
      validFromMs,
      validUntilMs,
    });
    const keys = [key(1, 10), key(5, Number.POSITIVE_INFINITY), key(6, 7, false)];
    expect(signingKeysAt({ ...hoster, signingKeys: keys }, 6)).toEqual([Uint8Array.of(1), Uint8Array.of(5)]);
    expect(signingKeysAt({ ...hoster, signingKeys: keys }, 10)).toEqual([Uint8Array.of(5)]);
    expect(boxKeyAt({ ...hoster, boxKeys: keys }, 4)).toEqual(Uint8Array.of(1));
    expect(boxKeyAt({ ...hoster, boxKeys: keys }, 8)).toEqual(Uint8Array.of(5));
    expect(boxKeyAt({ ...hoster, boxKeys: keys }, 0)).toBeUndefined();
  });
});
