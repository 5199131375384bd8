import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const CLI = join(import.meta.dirname, '../../../dist/client/main.js');
let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hashfed-withdraw-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

function withdraw(content: string) {
  const file = join(scratch, 'away.txt');
  writeFileSync(file, content);
  const args = ['withdraw', '--collection', 'known', '--reason', 'wrong', '--file', file, '--json'];
  return spawnSync(process.execPath, [CLI, ...args], { cwd: scratch, encoding: 'utf8' });
}

it('a file of hashes and items: what is wrong is told with its line, and nothing is published', () => {
  const good = `# away\n\nitem:${'ab'.repeat(16)}\nsha256:${'cd'.repeat(32)}\n`;
  const { status, stdout, stderr } = withdraw(`${good}sha256:12\n`);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('away.txt, line 5: a hash is TYPE:HEX');
  expect(withdraw(good).stderr).not.toContain('line');
});

it('an empty file names nothing', () => {
  const { status, stderr } = withdraw('# nothing\n');
  expect(status).toBe(2);
  expect(stderr).toContain('name what to withdraw');
});
