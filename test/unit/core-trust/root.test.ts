import { describe, expect, it } from 'vitest';
import { keysFor, parseRoot, portableSha256, settingsOf, walkRoots } from '../../../sdk/core/index.js';
import { encodeRoot, former, ORIGIN, originPolicy, rootMessage } from '../../support/trust/bodies.js';
import { suite, testKey } from '../../support/trust/keys.js';
import { refusal } from '../../support/trust/refusal.js';
import { hex, readVectors, unhex } from '../../support/trust/vectors.js';

interface Chain {
  readonly why: string;
  readonly chain: string[];
  readonly fingerprint: string;
  readonly version?: number;
  readonly code?: string;
}
interface File {
  readonly chains: { valid: Chain[]; invalid: Chain[] };
  readonly bodies: { valid: string[]; invalid: { body: string; field: string }[] };
}
const vectors = readVectors<File>('root/roots');
const walk = (one: Chain) => walkRoots(suite, unhex(one.fingerprint), one.chain.map(unhex));

describe('root chains', () => {
  it.each(vectors.chains.valid)('accept: $why', (one) => {
    expect(walk(one).version).toBe(one.version);
  });

  it.each(vectors.chains.invalid)('refuse: $why', (one) => {
    expect(refusal(() => walk(one)).code).toBe(one.code);
  });
});

describe('root bodies', () => {
  it.each(vectors.bodies.valid)('accept %#', (body) => {
    expect(hex(parseRoot(portableSha256, unhex(body)).body)).toBe(body);
  });

  it.each(vectors.bodies.invalid)('refuse by name: $field', ({ body, field }) => {
    expect(refusal(() => parseRoot(portableSha256, unhex(body)))).toEqual({ code: 'MALFORMED', field });
  });

  it('fill in the defaults', () => {
    const settings = settingsOf(parseRoot(portableSha256, encodeRoot(rootMessage())), ORIGIN);
    const hour = 3_600_000;
    expect(settings).toMatchObject({
      purpose: 'listed',
      minSigners: 1,
      oneKeyLimit: undefined,
      freshnessMaxMs: 6 * hour,
      maxSilenceMs: 26 * hour,
      maxSealAgeMs: 35 * 24 * hour,
      eraseAfterMs: 30 * 24 * hour,
      backupMaxMs: 35 * 24 * hour,
    });
  });

  it('count the newest SEAL for silence, eight days by default, where there is no live key', () => {
    const root = parseRoot(portableSha256, unhex(vectors.bodies.valid[1]!));
    expect(settingsOf(root, ORIGIN).maxSilenceMs).toBe(8 * 86_400_000);
  });

  it('know closed generations from unknown origins', () => {
    const root = walk(vectors.chains.valid.at(-1)!);
    expect(refusal(() => keysFor(root, ORIGIN)).code).toBe('GENERATION_CLOSED');
    expect(refusal(() => keysFor(root, ORIGIN.replace('g1', 'g3'))).code).toBe('UNKNOWN_ORIGIN');
    expect(refusal(() => keysFor(root, ORIGIN.replace('sha256', 'md5'))).code).toBe('UNKNOWN_ORIGIN');
  });

  it('name the keys of an origin, former ones apart', () => {
    const keys = keysFor(walk(vectors.chains.valid[2]!), ORIGIN);
    expect(keys.sequencing.name).toBe(ORIGIN);
    expect(keys.approve.map((key) => key.name)).toEqual(['approve.police.example']);
    expect(keys.former.map(({ role, lastGood }) => [role, lastGood.size])).toEqual([['list', 10]]);
  });

  it('name former keys of that origin only, and of known algorithms', () => {
    const [elsewhere, foreign] = [
      former(testKey('elsewhere'), { origin: ORIGIN.replace('/abuse/', '/other/') }),
      former(testKey('foreign')),
    ];
    const other = { ...foreign, key: { ...foreign.key!, algorithm: 2 as 1 } };
    const root = parseRoot(portableSha256, encodeRoot(rootMessage({ former: [other, elsewhere] })));
    expect(root.former).toHaveLength(2);
    expect(keysFor(root, ORIGIN).former).toEqual([]);
  });

  it('need a newer version of this software for a sequencing key of an unknown algorithm', () => {
    const message = rootMessage();
    const keys = message.keys.map((key, i) => (i === 3 ? { ...key, algorithm: 2 as 1 } : key));
    const root = parseRoot(portableSha256, encodeRoot({ ...message, keys, origins: [originPolicy()] }));
    expect(refusal(() => keysFor(root, ORIGIN)).code).toBe('UPGRADE_REQUIRED');
  });
});
