import { createInterface } from 'node:readline/promises';
import { HashfedError } from '../../sdk/core/index.js';
import type { CliContext } from '../cli/index.js';

/** On a terminal a person types the first word of the code; elsewhere `--yes` must say that it was read. Throws USAGE, CANCELLED. */
export async function confirmCode({ out, signal }: CliContext, code: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (out.json || process.stdin.isTTY !== true)
    throw new HashfedError('USAGE', 'read the sheet, then sign with --yes', { field: 'yes' });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`Type the first word of the code (${code}) to sign: `, { signal });
    if (answer.trim() !== code.split(' ')[0]) throw new HashfedError('CANCELLED', 'nothing was signed');
  } finally {
    lines.close();
  }
}
