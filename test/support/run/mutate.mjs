// `node test/support/run/mutate.mjs`: every case of the attack suite must fail once the one check in its way is taken
// out (test/faults/attacks/mutations.ts). The last line is `N passed, N failed`. Needs what `npm test` installs.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, run } from './bootstrap.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'hashfed-mutate-'));
const report = join(scratch, 'report.json');
let counts = { passed: 0, failed: 1 };
try {
  bootstrap();
  const config = 'test/faults/attacks/mutants.config.ts';
  const args = ['--no-install', 'vitest', 'run', '--config', config, '--reporter=default', '--reporter=json'];
  const code = run('npx', [...args, `--outputFile.json=${report}`]);
  const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(readFileSync(report, 'utf8'));
  counts = { passed, failed: failed === 0 && code !== 0 ? 1 : failed };
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
