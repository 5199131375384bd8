#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { HashfedError } from '../sdk/core/index.js';
import { loadServerConfig } from './config/index.js';
import { openLog } from './logging/index.js';
import { serve } from './serve.js';
import { runUntilSignal } from './shell/index.js';

const USAGE_EXIT = 2;
const FAILED_EXIT = 1;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { config: { type: 'string' }, storage: { type: 'string' }, listen: { type: 'string' } },
  });
  const { config: file, ...overrides } = values;
  const config = await loadServerConfig(file, process.env, overrides);
  const log = openLog(
    config.log.level,
    config.log.file === undefined ? undefined : config.path(config.log.file),
  );
  try {
    const server = await serve(config, log);
    const signalled = runUntilSignal(server, (line) => process.stdout.write(`${line}\n`));
    try {
      await Promise.race([signalled, server.failed]);
    } catch (error) {
      log.error('server.failed', { error });
      await server.stop().catch(() => undefined);
      throw error;
    }
  } finally {
    await log.flush();
  }
}

main().catch((error: unknown) => {
  const known = error instanceof HashfedError;
  process.stderr.write(`hashfed serve: ${known ? `${error.code}: ${error.message}` : String(error)}\n`);
  process.exitCode = known && error.code === 'USAGE' ? USAGE_EXIT : FAILED_EXIT;
});
