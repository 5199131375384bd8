import { randomBytes } from 'node:crypto';
import type { LoadedConfig } from '../../sdk/config/index.js';
import type { Clock, Random } from '../../sdk/core/index.js';
import { Output } from './output.js';

/** Everything a command reaches the world through. Tests hand in their own. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv;
  readonly out: Output;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by SIGINT and SIGTERM: finish what is half done, then leave. */
  readonly signal: AbortSignal;
  /** The member's configuration, read once; throws USAGE. */
  config(): Promise<LoadedConfig>;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly config?: string;
}

export const systemClock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

export function makeContext(options: GlobalOptions, env: NodeJS.ProcessEnv, signal: AbortSignal): CliContext {
  let loaded: Promise<LoadedConfig> | undefined;
  // Its parser is slow to load, and not every command needs it.
  const read = async () => (await import('../../sdk/config/index.js')).loadConfig(options.config, env);
  return {
    env,
    out: new Output(options.json ?? env['HASHFED_JSON'] === '1'),
    clock: systemClock,
    random: systemRandom,
    signal,
    config: () => {
      loaded ??= read();
      return loaded;
    },
  };
}
