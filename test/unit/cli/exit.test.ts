import { describe, expect, it } from 'vitest';
import { EXIT, exitForError, strongestExit } from '../../../client/cli/index.js';
import { ERROR_TABLE, type ErrorCode, HashfedError } from '../../../sdk/core/index.js';

describe('exit codes', () => {
  it('are the documented numbers', () => {
    expect(EXIT).toEqual({
      done: 0,
      failed: 1,
      usage: 2,
      identity: 3,
      verification: 4,
      stale: 5,
      match: 10,
    });
  });

  it('rank usage, verification, identity, failure, match, staleness', () => {
    const order = [EXIT.usage, EXIT.verification, EXIT.identity, EXIT.failed, EXIT.match, EXIT.stale];
    for (let i = 0; i < order.length; i++) {
      const weaker = order.slice(i);
      expect(strongestExit([...weaker].reverse())).toBe(order[i]);
      expect(strongestExit([EXIT.done, ...weaker])).toBe(order[i]);
    }
    expect(strongestExit([])).toBe(EXIT.done);
  });

  it.each([
    ['ROLLBACK', 4],
    ['EQUIVOCATION', 4],
    ['BAD_SIGNATURE', 4],
    ['ROOT_MISMATCH', 4],
    ['NOT_ENTITLED', 3],
    ['NOT_AUTHENTICATED', 3],
    ['UNKNOWN_MEMBER', 3],
    ['STALE', 5],
    ['USAGE', 2],
    ['UNAVAILABLE', 1],
    ['STORAGE_FAILED', 1],
  ] as const)('%s ends with %i', (code, exit) => {
    expect(exitForError(new HashfedError(code, 'x'))).toBe(exit);
  });

  it('are defined for every error code, and 1 for what is no HashfedError', () => {
    for (const code of Object.keys(ERROR_TABLE) as ErrorCode[])
      expect([1, 2, 3, 4, 5]).toContain(exitForError(new HashfedError(code, 'x')));
    expect(exitForError(new TypeError('x'))).toBe(1);
    expect(exitForError(undefined)).toBe(1);
  });
});
