import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const MAIN = join(process.cwd(), 'dist/client/main.js');
const script = join(mkdtempSync(join(tmpdir(), 'hashfed-completion-')), 'hashfed.bash');
writeFileSync(script, execFileSync(process.execPath, [MAIN, 'completion', 'bash']));

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const run = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _hashfed; echo "\${COMPREPLY[*]}"`;
  const out = execFileSync('bash', ['-c', run, 'bash', script, 'hashfed', ...words], { encoding: 'utf8' });
  return out.trim().split(' ').filter(Boolean);
}

describe('completion in bash', () => {
  it.each([
    [['che'], ['check']],
    [['keys', 'gen'], ['generate']],
    [['keys', 'generate', '--rol'], ['--role']],
    [['--config', 'f.json', 'qua'], ['quarantine']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
  ])('%j: %j', (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  it('offers every command at the start', () => {
    expect(offered('')).toContain('scan');
  });

  it.each([[['check', '']], [['check', '--config', '']], [['verify', '--root', 'ro']]])(
    '%j: leaves files to the shell',
    (words) => {
      expect(offered(...words)).toEqual([]);
    },
  );
});
