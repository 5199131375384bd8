// `npm run demo`: installs what is missing, builds, then hands over to the demo itself (test/e2e/demo).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, root, run } from './bootstrap.mjs';

bootstrap();
if (run('npx', ['--no-install', 'tsc', '-b', 'test/e2e/demo']) !== 0) throw new Error('the build failed');
const demo = join(root, 'dist/test/e2e/demo/main.js');
const done = spawnSync(process.execPath, [demo, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = done.status ?? 1;
