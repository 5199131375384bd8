import { Argument, type Command, type Option } from 'commander';
import { action, EXIT } from '../cli/index.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** What may follow a chain of commands: subcommands or set values; options; those of them that take a value. */
interface Words {
  readonly names: readonly string[];
  readonly options: readonly string[];
  readonly valued: readonly string[];
}

/** By chain of commands; `''` is the program itself. */
type Chains = ReadonlyMap<string, Words>;

export function register(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .description('print a completion script for a shell')
    .addHelpText(
      'after',
      '\nExamples:\n  source <(hashfed completion bash)\n  hashfed completion fish > ~/.config/fish/completions/hashfed.fish',
    )
    .action(
      action(async ({ out }, _options, [shell]) => {
        const script = WRITERS[shell as Shell](chainsOf(program));
        out.result({ shell, script }, script.split('\n'));
        return EXIT.done;
      }),
    );
}

function chainsOf(program: Command): Chains {
  const chains = new Map<string, Words>();
  const visit = (command: Command, path: string): void => {
    chains.set(path, wordsOf(command));
    for (const one of command.commands) visit(one, `${path} ${one.name()}`.trim());
  };
  visit(program, '');
  return chains;
}

/** `--json`, `--config` and `--help` fit everywhere. */
function wordsOf(command: Command): Words {
  const flags = (options: readonly Option[]) => options.flatMap(({ long }) => (long == null ? [] : [long]));
  const values = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return {
    names: [...command.commands.map((one) => one.name()), ...values],
    options: [...new Set([...flags(command.options), '--json', '--config', '--help'])],
    valued: [
      ...new Set([...flags(command.options.filter((one) => one.required || one.optional)), '--config']),
    ],
  };
}

/**
 * Walks the words typed so far along the known chains, then offers what may follow. Where that is nothing, as for
 * files and for the value of an option, bash offers file names.
 */
const BASH = `_hashfed() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local chain= next= word= names= options= valued=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${chain:+$chain }$word"
    case '|CHAINS|' in *"|$next|"*) chain=$next ;; esac
  done
  case "$chain" in
CASES
  esac
  COMPREPLY=()
  case " $valued " in *" $previous "*) return ;; esac
  case "$current" in -*) names=$options ;; esac
  COMPREPLY=($(compgen -W "$names" -- "$current"))
}
complete -o default -F _hashfed hashfed`;

function bash(chains: Chains): string {
  const cases = [...chains].map(
    ([chain, { names, options, valued }]) =>
      `    '${chain}') names='${names.join(' ')}' options='${options.join(' ')}' valued='${valued.join(' ')}' ;;`,
  );
  return BASH.replace('CHAINS', [...chains.keys()].join('|')).replace('CASES', cases.join('\n'));
}

function zsh(chains: Chains): string {
  return ['autoload -U +X bashcompinit && bashcompinit', bash(chains)].join('\n');
}

function fish(chains: Chains): string {
  const lines = [...chains].flatMap(([path, { names, options }]) => {
    const seen = path === '' ? '__fish_use_subcommand' : seenAll(path);
    return [...names, ...options].map((word) =>
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

const WRITERS: Readonly<Record<Shell, (chains: Chains) => string>> = { bash, zsh, fish };
