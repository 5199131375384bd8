import { type Command, InvalidArgumentError } from 'commander';
import { action, EXIT } from '../cli/index.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** Words that may follow a chain of commands: `''` is the program itself. */
type Words = ReadonlyMap<string, readonly string[]>;

export function register(program: Command): void {
  program
    .command('completion')
    .argument('<shell>', SHELLS.join(', '), readShell)
    .description('print a completion script for a shell')
    .addHelpText(
      'after',
      '\nExamples:\n  source <(hashfed completion bash)\n  hashfed completion fish > ~/.config/fish/completions/hashfed.fish',
    )
    .action(
      action(async ({ out }, _options, [shell]) => {
        const script = WRITERS[readShell(shell ?? '')](wordsOf(program));
        out.result({ shell, script }, script);
        return EXIT.done;
      }),
    );
}

function readShell(text: string): Shell {
  const shell = SHELLS.find((one) => one === text);
  if (shell === undefined) throw new InvalidArgumentError(`Shells are ${SHELLS.join(', ')}.`);
  return shell;
}

/** Every chain of commands with its subcommands and options; `--help`, `--json`, `--config` fit everywhere. */
function wordsOf(program: Command): Words {
  const words = new Map<string, string[]>();
  const visit = (command: Command, path: string): void => {
    const options = command.options.flatMap(({ long }) => (long == null ? [] : [long]));
    const names = command.commands.map((one) => one.name());
    words.set(path, [...names, ...new Set([...options, '--json', '--config', '--help'])]);
    for (const one of command.commands) visit(one, `${path} ${one.name()}`.trim());
  };
  visit(program, '');
  return words;
}

/** Walks the words typed so far along the known chains, then offers what may follow. */
const BASH = `_hashfed() {
  local current=\${COMP_WORDS[COMP_CWORD]} chain= next= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${chain:+$chain }$word"
    case '|CHAINS|' in *"|$next|"*) chain=$next ;; esac
  done
  case "$chain" in
CASES
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _hashfed hashfed`;

function bash(words: Words): string {
  const cases = [...words].map(([chain, next]) => `    '${chain}') words='${next.join(' ')}' ;;`);
  return BASH.replace('CHAINS', [...words.keys()].join('|')).replace('CASES', cases.join('\n'));
}

function zsh(words: Words): string {
  return ['autoload -U +X bashcompinit && bashcompinit', bash(words)].join('\n');
}

function fish(words: Words): string {
  const lines = [...words].flatMap(([path, next]) => {
    const seen = path === '' ? '__fish_use_subcommand' : seenAll(path);
    return next.map((word) =>
      word.startsWith('--')
        ? `complete -c hashfed -n '${seen}' -l ${word.slice(2)}`
        : `complete -c hashfed -f -n '${seen}' -a ${word}`,
    );
  });
  return lines.join('\n');
}

const seenAll = (path: string): string =>
  path
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');

const WRITERS: Readonly<Record<Shell, (words: Words) => string>> = { bash, zsh, fish };
