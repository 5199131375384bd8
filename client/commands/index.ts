import type { Command } from 'commander';

/** Adds every command to the program, in the order in which help lists them. */
export function registerCommands(_program: Command): void {}
