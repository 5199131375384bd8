import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const TESTS = join(import.meta.dirname, '../..');
const text = readFileSync(join(TESTS, '../docs/threat-model.md'), 'utf8');
const attackers = text.slice(text.indexOf('## Attackers'), text.indexOf('## Errors'));
const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((one) =>
  one.endsWith('.test.ts'),
);
const suite = files
  .filter((one) => one.startsWith(join('faults', 'attacks')))
  .map((one) => readFileSync(join(TESTS, one), 'utf8'))
  .join('\n');

/** Whether a row of the suite, or one of its groups, is called so; "…" stands for what was said before. */
function isNamed(quoted: string): boolean {
  const parts = quoted
    .split('…')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return suite.split('\n').some((line) => parts.every((part) => line.includes(part)));
}

test('every case that the threat model names is a row of the attack suite', () => {
  const quoted = [...attackers.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name);
  expect(quoted.length).toBeGreaterThan(10);
  expect(quoted.filter((name) => !isNamed(name))).toEqual([]);
});

test('every test file that it names exists', () => {
  const named = [...attackers.matchAll(/`([a-z/-]+\.test\.ts)`/g)].map(([, file = '']) => file);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((file) => !files.some((one) => join('test', one).endsWith(file)))).toEqual([]);
});
