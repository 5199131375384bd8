import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import {
  type Hashfed,
  HashfedError,
  openInventory,
  type Policy,
  type PolicyTrial,
  parsePolicy,
  tryOnInventory,
  tryOnJournal,
} from '../../sdk/index.js';
import { action, type CliContext, EXIT, table } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';

interface Options {
  readonly against: 'inventory' | 'journal';
  readonly policy: string;
  readonly limit: string;
}

/** Bytes of a policy file. */
const MAX_POLICY_BYTES = 1024 * 1024;

export function register(program: Command): void {
  const policy = program.commands.find((command) => command.name() === 'policy') ?? program;
  policy
    .command('test')
    .description('what another policy would do, compared with the one in force; nothing is changed')
    .addOption(
      new Option('--against <what>', 'all stored objects, or what is in quarantine')
        .choices(['inventory', 'journal'])
        .default('journal'),
    )
    .requiredOption('--policy <file>', 'the other policy, as JSON')
    .option('--limit <n>', 'objects to name', '100')
    .addHelpText('after', '\nExample:\n  hashfed policy test --against inventory --policy stricter.json')
    .action(
      action<Options>((context, options) =>
        withHoster(context, 'write', (hashfed) => run(context, hashfed, options)),
      ),
    );
}

async function run(context: CliContext, hashfed: Hashfed, { against, policy: file, limit }: Options) {
  const policy = await readPolicy(file);
  const trials =
    against === 'journal'
      ? tryOnJournal(hashfed, policy)
      : tryOnInventory(hashfed, openInventory(hashfed, await context.config()), policy, context.signal);
  const most = Number(limit);
  const counts = new Map<string, number>();
  const changed: PolicyTrial[] = [];
  let objects = 0;
  for await (const trial of trials) {
    objects++;
    const { now, then } = trial;
    const kind = `${now.action}${now.observed ? ' (observed)' : ''} → ${then.action}${then.observed ? ' (observed)' : ''}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if ((now.action !== then.action || now.observed !== then.observed) && changed.length < most)
      changed.push(trial);
  }
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  context.out.result({ against, objects, counts: Object.fromEntries(rows), changed }, [
    ...table([['now → then', 'objects'], ...rows.map(([kind, n]) => [kind, String(n)])]),
    ...changed.map(
      ({ ref, now, then }) => `${now.action} → ${then.action}  ${ref}  [${then.because.join(', ')}]`,
    ),
    `${objects} objects that match were looked at; nothing was changed.`,
  ]);
  return EXIT.done;
}

async function readPolicy(file: string): Promise<Policy> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read the policy ${file}`, { field: 'policy', cause });
  });
  if (text.length > MAX_POLICY_BYTES)
    throw new HashfedError('USAGE', 'the policy is too long', { field: 'policy' });
  try {
    return parsePolicy(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof HashfedError) throw cause;
    throw new HashfedError('USAGE', `${file} is no JSON`, { field: 'policy', cause });
  }
}
