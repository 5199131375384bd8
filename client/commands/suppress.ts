import type { Command } from 'commander';
import { HashfedError, type Suppressions } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';

interface Options {
  readonly item?: readonly string[];
  readonly publisher?: readonly string[];
  readonly remove?: boolean;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function register(program: Command): void {
  program
    .command('suppress')
    .description(
      'let an item or a publisher pass here at once, and release what it held; without options, show them',
    )
    .option('--item <id>', 'an item, 32 hex digits; may be given several times', collect)
    .option('--publisher <domain>', 'all of a publisher; may be given several times', collect)
    .option('--remove', 'no longer suppress what is named')
    .addHelpText(
      'after',
      '\nExamples:\n  hashfed suppress --item 0123456789abcdef0123456789abcdef\n  hashfed suppress\n\n' +
        'This acts on this hoster alone. Tell the publisher as well, so that the entry is withdrawn everywhere.',
    )
    .action(action<Options>((context, options) => suppress(context, options)));
}

async function suppress(
  context: CliContext,
  { item = [], publisher = [], remove }: Options,
): Promise<ExitCode> {
  if (item.some((id) => !/^[0-9a-f]{32}$/.test(id)))
    throw new HashfedError('USAGE', 'an item id is 32 hex digits, as hashfed quarantine show prints it', {
      field: 'item',
    });
  return withHoster(context, 'auto', async (hashfed) => {
    const named = { items: item, publishers: publisher };
    const change = item.length + publisher.length > 0;
    const next = remove === true ? without(hashfed.suppressions, named) : plus(hashfed.suppressions, named);
    const released = change ? await hashfed.suppress(next) : [];
    const refs = [...new Set(released.map(({ ref }) => ref))];
    context.out.result({ suppressed: next, released: refs }, lines(next, refs));
    return EXIT.done;
  });
}

interface Named {
  readonly items: readonly string[];
  readonly publishers: readonly string[];
}

function plus(held: Suppressions, { items, publishers }: Named): Suppressions {
  return {
    ...held,
    items: [...new Set([...held.items, ...items])],
    publishers: [...new Set([...held.publishers, ...publishers])],
  };
}

function without(held: Suppressions, { items, publishers }: Named): Suppressions {
  return {
    ...held,
    items: held.items.filter((one) => !items.includes(one)),
    publishers: held.publishers.filter((one) => !publishers.includes(one)),
  };
}

function lines({ items, publishers, classifications }: Suppressions, released: readonly string[]): string[] {
  if (items.length + publishers.length + classifications.length === 0) return ['Nothing is suppressed here.'];
  return [
    ...items.map((id) => `item       ${id}`),
    ...publishers.map((domain) => `publisher  ${domain}`),
    ...classifications.map(({ scheme, codes }) => `scheme     ${scheme} ${codes?.join(' ') ?? ''}`.trimEnd()),
    ...released.map((ref) => `released   ${ref}`),
  ];
}
