// Builds dist/ with the project's own compiler; plain Node, since it runs before anything is installed.
import { bootstrap, run } from './bootstrap.mjs';

bootstrap();
process.exitCode = run('npx', ['--no-install', 'tsc', '-b']);
