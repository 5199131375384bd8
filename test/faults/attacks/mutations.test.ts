import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withMutants } from './locate.js';
import { everyMutation } from './mutations.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const here = fileURLToPath(new URL('./', import.meta.url));

describe('the mutation table', () => {
  const files = new Set(everyMutation().map(([, { file }]) => file));

  it.each([...files])('names expressions that stand in %s once each, none within another', (file) => {
    const own = everyMutation().filter(([, mutation]) => mutation.file === file);
    const text = readFileSync(root + file, 'utf8');
    expect(withMutants(text, own)).not.toBe(text);
  });

  it('holds no check that no case runs into', () => {
    const cases = readdirSync(here)
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => readFileSync(here + name, 'utf8'))
      .join('\n');
    const unused = everyMutation().filter(([name]) => !cases.includes(`'${name}'`));
    expect(unused.map(([name]) => name)).toEqual([]);
  });
});
