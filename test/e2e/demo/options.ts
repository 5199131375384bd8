import { statSync } from 'node:fs';
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

/** A call that the demo does not take. */
export class WrongUsage extends Error {}

export const USAGE = `npm run demo -- [--once] [--json] [--scan DIR] [--seed N]
  --once      end after the last step, instead of waiting
  --json      NDJSON, one line a step; the last one is the summary (npm run -s demo -- --once --json)
  --scan DIR  scan these files instead of this clone
  --seed N    list other files of them (default 1)`;

export function readOptions(args: readonly string[]): DemoOptions | undefined {
  const values = parse(args);
  if (values.help === true) return undefined;
  const seed = Number(values.seed ?? '1');
  if (!Number.isSafeInteger(seed)) throw new WrongUsage('--seed must be a whole number');
  const scan = resolve(values.scan ?? CLONE);
  if (statSync(scan, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new WrongUsage(`--scan ${scan}: there is no such folder`);
  return {
    once: values.once ?? false,
    json: values.json ?? false,
    scan,
    seed,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean' },
        json: { type: 'boolean' },
        scan: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
}
