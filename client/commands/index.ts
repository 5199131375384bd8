import type { Command } from 'commander';

type Load = () => Promise<{ readonly register: (program: Command) => void }>;

/** One command: its name, its line in the list of commands, and the modules that make it, in order. */
type Entry = readonly [name: string, summary: string, ...modules: Load[]];

/** Every command, in the order in which help lists them. A module is read when its command is called. */
const COMMANDS: readonly Entry[] = [
  ['init', 'make a federation for development', () => import('./init.js')],
  ['serve', 'run a server', () => import('./serve.js')],
  ['member', 'who belongs to the federation: add, role, certify, revoke, list', () => import('./member.js')],
  ['keys', "a publisher's keys and its root", () => import('./keys.js')],
  ['trust', 'whose lists this member believes, by pinned root', () => import('./trust.js')],
  ['import', 'read a file into a batch', () => import('./import.js')],
  ['batch', 'publish in steps, with keys that are never online', () => import('./batch.js')],
  ['publish', 'import, prepare, sign and commit at once', () => import('./publish.js')],
  ['withdraw', 'take hashes or whole items off a list', () => import('./withdraw.js')],
  ['hold', 'emergency brake: entries answer at most "hold"', () => import('./hold.js')],
  ['withdrawal', 'which hosters have applied a withdrawal', () => import('./withdrawal.js')],
  ['watch-own', 'say hourly that our lists live; alarm on anything else', () => import('./watch-own.js')],
  ['sync', 'bring local lists up to date, verified', () => import('./sync.js')],
  ['lists', 'local lists: size, freshness, age', () => import('./lists.js')],
  ['check', 'the verdict on files or hashes, from local lists', () => import('./check.js')],
  ['scan', 'check every file below a folder; journal and count', () => import('./scan.js')],
  ['inventory', 'what is known of stored objects, and how current it is', () => import('./inventory.js')],
  ['rematch', 'match stored objects against new entries, reading none', () => import('./rematch.js')],
  ['telemetry', 'the counts that leave this hoster: show, flush', () => import('./telemetry.js')],
  ['monitor', 'what hosters counted, read as the monitor', () => import('./monitor.js')],
  ['mirror', 'follow other servers, verify, serve, cosign', () => import('./mirror.js')],
  ['witness', 'cosign what extends the last state seen; hold no list', () => import('./mirror.js')],
  ['hash', 'print type,hex,quality,path lines of files', () => import('./hash.js')],
  [
    'quarantine',
    'what was held or blocked, on which entry; undo',
    () => import('./quarantine.js'),
    () => import('./quarantine-end.js'),
  ],
  ['withdrawals', 'what was released here by withdrawals', () => import('./withdrawals.js')],
  ['suppress', 'let an item or a publisher pass here at once', () => import('./suppress.js')],
  ['verify', 'audit lists, exports and evidence of forks', () => import('./verify.js')],
  ['log', 'export a list for foreign tools', () => import('./log.js')],
  ['proof', 'inclusion and consistency proofs, as JSON', () => import('./proof.js')],
  [
    'policy',
    'what this hoster does with a match: show, test',
    () => import('./policy.js'),
    () => import('./policy-test.js'),
  ],
  ['leave', 'stop taking part: wipe lists, tell the server', () => import('./leave.js')],
  ['status', 'certificate, sources, lists: what works, what expires', () => import('./status.js')],
  ['completion', 'print a completion script for a shell', () => import('./completion.js')],
];

/** The command that describes all others. */
const NEEDS_ALL = 'completion';

/** Registers the command that `argv` (without node and script) calls; all of them by name where it calls none. */
export async function registerCalled(program: Command, argv: readonly string[]): Promise<void> {
  const called = calledIn(argv);
  if (called === undefined) for (const [name, summary] of COMMANDS) program.command(name).summary(summary);
  else if (called[0] === NEEDS_ALL) await registerCommands(program);
  else await add(program, called);
}

export async function registerCommands(program: Command): Promise<void> {
  for (const entry of COMMANDS) await add(program, entry);
}

/** A module may make two commands. */
async function add(program: Command, [name, summary, ...modules]: Entry): Promise<void> {
  const made = () => program.commands.find((command) => command.name() === name);
  if (made() === undefined) for (const load of modules) (await load()).register(program);
  made()?.summary(summary);
}

/** Before a command only `--config` takes a value; `help` may stand there too. */
function calledIn(argv: readonly string[]): Entry | undefined {
  const words = argv.filter((word, at) => !word.startsWith('-') && argv[at - 1] !== '--config');
  const word = words[0] === 'help' ? words[1] : words[0];
  return COMMANDS.find(([name]) => name === word);
}
