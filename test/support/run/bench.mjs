// `npm run bench -- --json [--only NAME[,NAME]] [--size N[,N]] [--rounds N]`: installs what is missing, builds, then
// runs the benchmarks. stdout holds their lines only.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, root, run } from './bootstrap.mjs';

bootstrap();
if (run('npx', ['--no-install', 'tsc', '-b']) !== 0) {
  process.stderr.write('the build failed\n');
  process.exit(1);
}
const main = join(root, 'dist/test/bench/main.js');
const done = spawnSync(process.execPath, ['--expose-gc', main, ...process.argv.slice(2)], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exitCode = done.status ?? 1;
