import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, describePolicy, parsePolicy, policyText } from '../../../sdk/match/index.js';

const blockOn = (fields: object) => ({ rules: [{ name: 'r', action: 'block', ...fields }] });

describe('a policy', () => {
  it('is complete when nothing is said', () => {
    expect(parsePolicy({})).toEqual(DEFAULT_POLICY);
    expect(parsePolicy()).toEqual(DEFAULT_POLICY);
    expect(parsePolicy(JSON.parse(policyText(DEFAULT_POLICY)))).toEqual(DEFAULT_POLICY);
    expect([DEFAULT_POLICY.probation_hours, DEFAULT_POLICY.observe_hours, DEFAULT_POLICY.otherwise]).toEqual([
      24,
      24,
      'hold',
    ]);
  });

  it('has one text whatever the order of its fields', () => {
    const a = parsePolicy({ probation_hours: 1, otherwise: 'allow' });
    const b = parsePolicy({ otherwise: 'allow', probation_hours: 1 });
    expect(policyText(a)).toBe(policyText(b));
    expect(policyText(a)).not.toBe(policyText(DEFAULT_POLICY));
  });

  it.each([
    ['policy.rules.0.action', { rules: [{ name: 'r', action: 'delete' }] }],
    ['policy.rules.0.evidence.0', blockOn({ evidence: ['crc32'] })],
    ['policy.rules.0.confirmed_by', blockOn({ confirmed_by: {} })],
    ['policy.rules.0.confirmed_by.publishers', blockOn({ confirmed_by: { publishers: 1 } })],
    ['policy.rules.0.classifications.0.scheme', blockOn({ classifications: [{ scheme: 0 }] })],
    ['policy.probation_hours', { probation_hours: -1 }],
    ['policy.probation_hours', { probation_hours: '24' }],
    ['policy.observe_hours', { observe_hours: Number.NaN }],
    ['policy', { probation: 24 }],
    ['policy.suppress.items.0', { suppress: { items: ['A'.repeat(32)] } }],
    ['policy.format', { format: 2 }],
    ['policy', null],
  ])('is refused by naming %s', (field, data) => {
    expect(() => parsePolicy(data)).toThrow(expect.objectContaining({ code: 'USAGE', detail: { field } }));
  });
});

describe('in words', () => {
  it('the default says what it blocks on and warns of nothing', () => {
    const lines = describePolicy(DEFAULT_POLICY);
    expect(lines[0]).toBe(
      'Rule 1 (confirmed exact match): block, on the same sha256 or the same md5 and sha1 of one item, if at least ' +
        '1 other analyst agreed or at least 2 publishers list it on assessments of their own.',
    );
    expect(lines).toContain('Everything else that matches: hold.');
    expect(lines).toContain('New entries yield at most hold for 24 hours.');
    expect(lines.filter((line) => line.startsWith('Warning'))).toEqual([]);
  });

  it('what is risky begins with a warning', () => {
    const risky = parsePolicy({
      ...blockOn({ evidence: ['md5'] }),
      known_good: { veto: false },
      breaker: { enabled: false },
    });
    expect(describePolicy(risky).filter((line) => line.startsWith('Warning'))).toEqual([
      'Warning: r blocks on md5 alone, which harmless files can share.',
      'Warning: r blocks on the word of one person.',
      'Warning: known-good lists are ignored.',
      'Warning: the breaker is off.',
    ]);
  });

  it('names scopes, exceptions and what is let pass', () => {
    const text = describePolicy(
      parsePolicy({
        rules: [
          {
            ...{
              name: 'near',
              action: 'hold',
              evidence: ['pdq'],
              max_distance: 6,
              publishers: ['a.example'],
            },
            classifications: [{ scheme: 2, codes: [1, 2] }, { scheme: 3 }],
          },
        ],
        lists: { 'a.example': { probation_hours: 1 }, 'b.example/known': { observe_hours: 0 } },
        suppress: { items: ['1'.repeat(32)], publishers: ['b.example'], classifications: [{ scheme: 9 }] },
      }),
    ).join('\n');
    expect(text).toContain(
      'on a similar PDQ hash, for scheme 2 codes 1 and 2, scheme 3, from a.example, up to distance 6.',
    );
    expect(text).toContain('For a.example: probation 1 hour.\nFor b.example/known: observation 0 hours.');
    expect(text).toContain(
      'Let pass: 1 item.\nLet pass, whatever it is: all of b.example.\nLet pass: scheme 9.',
    );
  });
});
