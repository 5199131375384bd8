import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { withMutants } from './locate.js';
import { everyMutation } from './mutations.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const all = everyMutation();

/** The attack suite over sources that hold every mutation, asleep: no file on disk is touched. */
// biome-ignore lint/style/noDefaultExport: vitest takes its configuration from one.
export default defineConfig({
  root,
  plugins: [
    {
      name: 'hashfed-mutants',
      enforce: 'pre',
      transform(code: string, id: string) {
        const file = id.startsWith(root) ? id.slice(root.length) : '';
        const own = all.filter(([, mutation]) => mutation.file === file);
        return own.length > 0 ? withMutants(code, own) : undefined;
      },
    },
  ],
  test: {
    include: ['test/faults/attacks/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { HASHFED_MUTANTS: '1' },
  },
});
