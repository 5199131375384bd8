import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashfedError } from '../../../sdk/core/index.js';
import { describeError, logTo, scrub } from '../../../server/logging/index.js';

const capture = () => {
  const lines: string[] = [];
  return { lines, log: logTo('debug', { write: (line) => void lines.push(line) }) };
};
const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));

describe('the log', () => {
  it('drops hashes, URLs, paths and keys wherever they stand', () => {
    const secret = fc.oneof(
      hex(32),
      hex(64).map((text) => text.toUpperCase()),
      fc.base64String({ minLength: 44, maxLength: 88 }),
      fc.webUrl(),
      fc.webPath().map((path) => `/home/x${path}y`),
      fc.constantFrom('photo of X.jpg', 'a/b.png', 'C:\\Users\\x\\y.txt').map((name) => `"${name}"`),
    );
    fc.assert(
      fc.property(secret, fc.constantFrom('at ', 'see: ', ''), (text, before) => {
        const { lines, log } = capture();
        const all = `${before}${text} end`;
        const error = new HashfedError('MALFORMED', all, { cause: new Error(all, { cause: all }) });
        log.info(all, {
          why: all,
          state: all,
          member: text,
          origin: text,
          code: text,
          rpc: text,
          requestId: text,
          error,
        });
        log.with({ why: all }).warn('x', { [text]: text } as object);
        expect(lines.join('')).not.toContain(text);
      }),
    );
  });

  it('keeps what operators need', () => {
    const { lines, log } = capture();
    const why = 'the directory has expired, 3 of 5';
    log.with({ member: 'hoster-a', rpc: 'ListService/PullEntries' }).warn('rpc.done', {
      code: 'GENERATION_CLOSED',
      origin: 'police.example/stream/sha256/g1',
      why,
      ms: 12,
    });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      event: 'rpc.done',
      member: 'hoster-a',
      rpc: 'ListService/PullEntries',
      code: 'GENERATION_CLOSED',
      origin: 'police.example/stream/sha256/g1',
      why,
      ms: 12,
    });
  });

  it('describes errors by class, code and place, not by what they say', () => {
    const error = Object.assign(new TypeError("open '/x/y.jpg'"), { code: 'ENOENT' });
    const told = describeError(new HashfedError('STORAGE_FAILED', 'a row is damaged', { cause: error }));
    expect(told).toMatchObject({
      code: 'STORAGE_FAILED',
      message: 'a row is damaged',
      cause: { code: 'ENOENT' },
    });
    expect(told.cause?.name).toBe('TypeError');
    expect(told.at[0]).toMatch(/log\.test\.ts:\d+$/);
    expect(JSON.stringify(told)).not.toContain('y.jpg');
    expect(describeError('text')).toEqual({ name: 'thrown string', at: [] });
    const deep = Array.from({ length: 9 }).reduce<Error>(
      (cause) => new Error('x', { cause }),
      new Error('x'),
    );
    expect(JSON.stringify(describeError(deep)).split('"name"')).toHaveLength(1 + 4);
  });

  it('cuts long and odd texts', () => {
    expect(scrub('a b '.repeat(1_000)).length).toBeLessThanOrEqual(257);
    expect(scrub('a\nb\u202e')).toBe('a?b?');
  });
});
