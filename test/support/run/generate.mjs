// Regenerates proto/gen from proto/; with --check, fails when the committed files differ.
import { spawnSync } from 'node:child_process';
import { bootstrap, root, run } from './bootstrap.mjs';

bootstrap();
let code = run('npx', ['--no-install', 'buf', 'generate']);
if (code === 0 && process.argv.includes('--check')) {
  const diff = spawnSync('git', ['status', '--porcelain', '--', 'proto/gen'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (diff.stdout.trim() !== '') {
    process.stderr.write(`proto/gen is not current; run "npm run generate" and commit:\n${diff.stdout}`);
    code = 1;
  }
}
process.exitCode = code;
