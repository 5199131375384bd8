// `npm test`: installs what is missing, builds, runs the suites; the last line is `N passed, N failed`.
// Arguments name vitest projects to run instead of the standard ones.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, run } from './bootstrap.mjs';

const standard = ['unit', 'integration', 'e2e', 'faults'];
const projects = process.argv.length > 2 ? process.argv.slice(2) : standard;
const scratch = mkdtempSync(join(tmpdir(), 'hashfed-test-'));
const report = join(scratch, 'report.json');

/** Counts of the report; a suite file that could not even load counts as one failure. */
function totals() {
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return { passed: numPassedTests, failed: numFailedTests + broken.length };
}

function runSuites() {
  const args = ['--no-install', 'vitest', 'run', '--reporter=default', '--reporter=json'];
  args.push(`--outputFile.json=${report}`, ...projects.flatMap((name) => ['--project', name]));
  const code = run('npx', args);
  const { passed, failed } = totals();
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed };
}

let counts = { passed: 0, failed: 1 };
try {
  bootstrap();
  if (run('npx', ['--no-install', 'tsc', '-b']) === 0) counts = runSuites();
  else process.stderr.write('the build failed\n');
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
