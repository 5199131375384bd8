import type { Command } from 'commander';
import { HashfedError, type Suppressions } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';

interface Options {
  readonly item?: readonly string[];
  readonly publisher?: readonly string[];
  readonly classification?: readonly Classification[];
  readonly remove?: boolean;
}

type Classification = Suppressions['classifications'][number];

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `SCHEME`, or `SCHEME:CODE` for one code of it, both 1 to 255. */
function collectClassification(text: string, before: readonly Classification[] = []): Classification[] {
  const [scheme, code] = /^(\d{1,3})(?::(\d{1,3}))?$/.exec(text)?.slice(1) ?? [];
  if (![scheme, code ?? scheme].every((part) => Number(part) >= 1 && Number(part) <= 255))
    throw new HashfedError('USAGE', 'a classification is SCHEME or SCHEME:CODE, each 1 to 255', {
      field: 'classification',
    });
  return [
    ...before,
    code === undefined ? { scheme: Number(scheme) } : { scheme: Number(scheme), codes: [Number(code)] },
  ];
}

export function register(program: Command): void {
  program
    .command('suppress')
    .description(
      'let an item, a publisher or a classification pass here at once, and release what it held; without options, show them',
    )
    .option('--item <id>', 'an item, 32 hex digits; may be given several times', collect)
    .option('--publisher <domain>', 'all of a publisher; may be given several times', collect)
    .option(
      '--classification <scheme[:code]>',
      'numbers as in docs/spec/formats.md; may be given several times',
      collectClassification,
    )
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
  { item = [], publisher = [], classification = [], remove }: Options,
): Promise<ExitCode> {
  if (item.some((id) => !/^[0-9a-f]{32}$/.test(id)))
    throw new HashfedError('USAGE', 'an item id is 32 hex digits, as hashfed quarantine show prints it', {
      field: 'item',
    });
  return withHoster(context, 'auto', async (hashfed) => {
    const named = { items: item, publishers: publisher, classifications: classification };
    const change = item.length + publisher.length + classification.length > 0;
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
  readonly classifications: readonly Classification[];
}

function plus(held: Suppressions, named: Named): Suppressions {
  const { classifications } = without(held, {
    items: [],
    publishers: [],
    classifications: named.classifications,
  });
  return {
    items: [...new Set([...held.items, ...named.items])],
    publishers: [...new Set([...held.publishers, ...named.publishers])],
    classifications: [...classifications, ...named.classifications],
  };
}

function without(held: Suppressions, { items, publishers, classifications }: Named): Suppressions {
  const named = new Set(classifications.map(keyOf));
  return {
    items: held.items.filter((one) => !items.includes(one)),
    publishers: held.publishers.filter((one) => !publishers.includes(one)),
    classifications: held.classifications.filter((one) => !named.has(keyOf(one))),
  };
}

const keyOf = ({ scheme, codes }: Classification): string => `${scheme}:${codes?.join(' ') ?? ''}`;

function lines({ items, publishers, classifications }: Suppressions, released: readonly string[]): string[] {
  if (items.length + publishers.length + classifications.length === 0) return ['Nothing is suppressed here.'];
  return [
    ...items.map((id) => `item       ${id}`),
    ...publishers.map((domain) => `publisher  ${domain}`),
    ...classifications.map(({ scheme, codes }) => `scheme     ${scheme} ${codes?.join(' ') ?? ''}`.trimEnd()),
    ...released.map((ref) => `released   ${ref}`),
  ];
}
