#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { HashfedError } from '../sdk/core/index.js';
import { loadMirrorConfig } from './federation/index.js';
import { openLog } from './logging/index.js';
import { mirror } from './mirror.js';
import { runUntilSignal } from './shell/index.js';

const USAGE_EXIT = 2;
const FAILED_EXIT = 1;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      storage: { type: 'string' },
      listen: { type: 'string' },
      as: { type: 'string', default: 'mirror' },
    },
  });
  const { config: given = process.env['HASHFED_CONFIG'], as, ...overrides } = values;
  const config = await loadMirrorConfig(given, overrides);
  if (as === 'witness' && (config.cosign.witness === undefined || config.lists?.length !== 0))
    throw new HashfedError('USAGE', 'a witness needs cosign.witness, and lists: []', {
      field: 'cosign.witness',
    });
  const { level, file } = config.server.log;
  const log = openLog(level, file === undefined ? undefined : config.server.path(file));
  try {
    const running = await mirror(config, log);
    const signalled = runUntilSignal(running, (line) => process.stdout.write(`${line}\n`));
    try {
      await Promise.race([signalled, running.failed]);
    } catch (error) {
      log.error('mirror.failed', { error });
      await running.stop().catch(() => undefined);
      throw error;
    }
  } finally {
    await log.flush();
  }
}

main().catch((error: unknown) => {
  const known = error instanceof HashfedError;
  process.stderr.write(`hashfed mirror: ${known ? `${error.code}: ${error.message}` : String(error)}\n`);
  process.exitCode = known && error.code === 'USAGE' ? USAGE_EXIT : FAILED_EXIT;
});
