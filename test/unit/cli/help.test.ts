import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { registerCommands } from '../../../client/commands/index.js';

const program = new Command('hashfed');
await registerCommands(program);

/** Commands that do something, with the words that call them. */
function leaves(command: Command, path: string): [string, Command][] {
  if (command.commands.length === 0) return [[path, command]];
  return command.commands.flatMap((one) => leaves(one, `${path} ${one.name()}`.trim()));
}

/** Commands that only hold others. */
function groups(command: Command, path: string): [string, Command][] {
  if (command.commands.length === 0) return [];
  const below = command.commands.flatMap((one) => groups(one, `${path} ${one.name()}`.trim()));
  return path === '' ? below : [[path, command], ...below];
}

const COMMANDS = leaves(program, '');
const ALL = [...groups(program, ''), ...COMMANDS];

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

describe('help', () => {
  it('knows the commands of the main job', () => {
    const names = new Set(program.commands.map((one) => one.name()));
    const wanted =
      'init serve keys trust member import batch publish withdraw withdrawal sync lists check scan hash quarantine telemetry verify log proof policy monitor completion status';
    expect(wanted.split(' ').filter((name) => !names.has(name))).toEqual([]);
  });

  it.each(ALL)('%s: has a description and an example that begins with its own name', (path, command) => {
    expect(command.description()).not.toBe('');
    const text = helpOf(command);
    expect(text).toMatch(/Examples?:\n/);
    expect(text.slice(text.search(/Examples?:\n/))).toContain(`hashfed ${path} `.trimEnd());
  });

  it.each(COMMANDS)('%s: every option is described', (_path, command) => {
    expect(command.options.filter(({ description }) => description === '')).toEqual([]);
  });
});
