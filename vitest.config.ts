import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], extra: object = {}) => ({
  test: { name, include, environment: 'node', testTimeout: 120_000, hookTimeout: 120_000, ...extra },
});

/** Minutes of real processes and lying servers: `.ci/run` runs them, `npm test` stays below five minutes without. */
const LONG = [
  'test/e2e/commands.test.ts',
  'test/e2e/demo.test.ts',
  'test/e2e/watch.test.ts',
  'test/faults/attacks/**/*.test.ts',
  'test/faults/bad-input.test.ts',
  'test/faults/large-objects.test.ts',
  'test/faults/server-full-disk.test.ts',
  'test/faults/server-kill.test.ts',
  'test/faults/signer-process.test.ts',
  'test/faults/storage-kill.test.ts',
  'test/faults/storage-writes.test.ts',
  'test/faults/store-writes.test.ts',
  'test/integration/generation.test.ts',
  'test/integration/inventory.test.ts',
  'test/integration/mirror.test.ts',
  'test/integration/perceptual.test.ts',
  'test/integration/photodna-example.test.ts',
  'test/integration/publisher.test.ts',
  'test/integration/scan-killed.test.ts',
  'test/integration/sync-kill.test.ts',
  'test/integration/telemetry.test.ts',
  'test/integration/trust-erasure.test.ts',
  'test/integration/trust-process.test.ts',
  'test/integration/trust-rotation.test.ts',
  'test/integration/trust-token.test.ts',
  'test/integration/verify.test.ts',
];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      project('unit', ['test/unit/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/vectors/**/*.test.ts']),
      project('integration', ['test/integration/**/*.test.ts'], { exclude: LONG }),
      project('e2e', ['test/e2e/**/*.test.ts'], { exclude: LONG }),
      project('faults', ['test/faults/**/*.test.ts'], { exclude: LONG }),
      project('long', LONG),
      project('foreign', ['test/foreign/**/*.test.ts']),
    ],
  },
});
