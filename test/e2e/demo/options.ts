import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly once: boolean;
  readonly json: boolean;
  readonly scan: string;
  readonly seed: number;
}

/** The clone itself, with its installed dependencies: thousands of real files. */
const CLONE = fileURLToPath(new URL('../../../../', import.meta.url));

export function readOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean' },
      json: { type: 'boolean' },
      scan: { type: 'string' },
      seed: { type: 'string' },
    },
  });
  const seed = Number(values.seed ?? '1');
  if (!Number.isSafeInteger(seed)) throw new Error('--seed must be a whole number');
  return {
    once: values.once ?? false,
    json: values.json ?? false,
    scan: resolve(values.scan ?? CLONE),
    seed,
  };
}
