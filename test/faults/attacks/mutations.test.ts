import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withMutants } from './locate.js';
import { everyMutation } from './mutations.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('the mutation table', () => {
  const files = new Set(everyMutation().map(([, { file }]) => file));
  it.each([...files])('names expressions that stand in %s, once each, none within another', (file) => {
    const own = everyMutation().filter(([, mutation]) => mutation.file === file);
    const text = readFileSync(root + file, 'utf8');
    expect(withMutants(text, own)).not.toBe(text);
  });
});
