import { type Hashfed, type OpenOptions, open } from '../../sdk/index.js';
import type { CliContext } from '../cli/index.js';

/** Opens the hoster's store for one command and closes it whatever happens. */
export async function withHashfed<T>(
  context: CliContext,
  work: (hashfed: Hashfed) => Promise<T>,
  options: Pick<OpenOptions, 'access'> = {},
): Promise<T> {
  const { clock, random } = context;
  const hashfed = await open({ config: await context.config(), clock, random, ...options });
  try {
    return await work(hashfed);
  } finally {
    await hashfed.close();
  }
}
