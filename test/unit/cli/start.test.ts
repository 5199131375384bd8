import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { registerCalled, registerCommands } from '../../../client/commands/index.js';

const named = ({ commands }: Command) => commands.map((command) => command.name());

async function called(...argv: string[]): Promise<Command> {
  const program = new Command('hashfed');
  await registerCalled(program, argv);
  return program;
}

describe('which commands are read', () => {
  it.each([
    ['check', 'a.jpg'],
    ['--json', 'check', '--hash', 'x'],
    ['--config', 'lists', 'check'],
    ['help', 'check'],
  ])('only the one that is called: %s %s', async (...argv) => {
    expect(named(await called(...argv))).toEqual(['check']);
  });

  it('a word that stands for subcommands of two modules has them all', async () => {
    const [quarantine] = (await called('quarantine', 'list')).commands;
    expect(named(quarantine!)).toEqual(['list', 'show', 'release', 'hand-over', 'delete', 'expire']);
  });

  it.each([[], ['--help'], ['no-such-command']])('all by name where none is called: %s', async (...argv) => {
    const all = new Command('hashfed');
    await registerCommands(all);
    const program = await called(...argv);
    expect(named(program)).toEqual(named(all));
    expect(
      program.commands.every((command) => command.summary() !== '' && command.options.length === 0),
    ).toBe(true);
  });

  it('completion describes them all', async () => {
    expect(named(await called('completion', 'bash')).length).toBeGreaterThan(30);
  });
});
