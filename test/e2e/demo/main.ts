import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions, USAGE, WrongUsage } from './options.js';
import { Report } from './report.js';
import { runDemo } from './run.js';

/** `npm run demo`: a whole federation on this machine; exits 0 only if every step was verified. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = new Report(options.json);
  const folder = await mkdtemp(join(tmpdir(), 'hashfed-demo-'));
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  try {
    await runDemo({ ...options, folder, report, signal: stop.signal });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onSignal);
    await rm(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof WrongUsage) process.stderr.write(`${USAGE}\n`);
  process.exitCode = error instanceof WrongUsage ? 2 : 1;
});
