import { HashfedError } from '../../../sdk/core/index.js';

/** The code and field of the refusal, or `accepted`. Anything but a HashfedError is a bug and goes on up. */
export function refusal(run: () => unknown): { code: string; field?: string } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    const { field } = error.detail;
    return field === undefined ? { code: error.code } : { code: error.code, field };
  }
  return { code: 'accepted' };
}
