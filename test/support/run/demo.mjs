// `npm run demo`: installs what is missing, builds, then hands over to the demo itself (test/e2e/demo).
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, root, run } from './bootstrap.mjs';

bootstrap();
if (run('npx', ['--no-install', 'tsc', '-b', 'test/e2e/demo']) !== 0) throw new Error('the build failed');
const main = join(root, 'dist/test/e2e/demo/main.js');
const demo = spawn(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
// The demo stops its servers and removes what it made: a signal is its to handle.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => demo.kill(signal));
demo.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
