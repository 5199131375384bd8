import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], extra: object = {}) => ({
  test: { name, include, environment: 'node', testTimeout: 30_000, hookTimeout: 60_000, ...extra },
});

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      project('unit', ['test/unit/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/vectors/**/*.test.ts']),
      project('integration', ['test/integration/**/*.test.ts']),
      project('e2e', ['test/e2e/**/*.test.ts'], { testTimeout: 120_000 }),
      project('faults', ['test/faults/**/*.test.ts'], { testTimeout: 120_000 }),
      project('foreign', ['test/foreign/**/*.test.ts'], { testTimeout: 120_000 }),
    ],
  },
});
