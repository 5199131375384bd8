import type { Command } from 'commander';
import { register as init } from './init.js';
import { register as serve } from './serve.js';

/** Every command, in the order in which help lists them. */
const COMMANDS: readonly ((program: Command) => void)[] = [init, serve];

export function registerCommands(program: Command): void {
  for (const register of COMMANDS) register(program);
}
