import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ClientConfigSchema, type LoadedConfig } from '../../sdk/config/index.js';
import { HashfedError } from '../../sdk/core/index.js';
import { action, EXIT, table } from '../cli/index.js';

interface AddOptions {
  readonly replace?: boolean;
}

export function register(program: Command): void {
  const trust = program
    .command('trust')
    .description('whose lists this member believes, by pinned root fingerprint')
    .addHelpText('after', '\nExample:\n  hashfed trust list');
  trust
    .command('add')
    .argument('<publisher>', 'members/NAME, or NAME')
    .argument('<fingerprint>', "SHA-256 of the publisher's first root, 64 hex digits, compared out of band")
    .description("pin a publisher's root in the configuration")
    .option('--replace', 'put it in the place of another fingerprint')
    .addHelpText('after', '\nExample:\n  hashfed trust add members/police 4f1c…e9 --config hashfed.json')
    .action(
      action<AddOptions>(async (context, { replace }, [name = '', fingerprint = '']) => {
        const publisher = name.startsWith('members/') ? name : `members/${name}`;
        const config = await context.config();
        const root_sha256 = fingerprint.replaceAll(/[\s:]/g, '').toLowerCase();
        const changed = await pin(config, { publisher, root_sha256 }, replace === true);
        context.out.result(
          { publisher, root_sha256, changed },
          changed ? `Pinned ${publisher} in ${config.file}.` : `${publisher} is pinned so already.`,
        );
        return EXIT.done;
      }),
    );
  trust
    .command('list')
    .description('show the pinned publishers')
    .addHelpText('after', '\nExample:\n  hashfed trust list')
    .action(
      action(async (context) => {
        const { trust: pinned } = await context.config();
        context.out.result(
          { trust: pinned },
          table([
            ['publisher', 'root fingerprint'],
            ...pinned.map((one) => [one.publisher, one.root_sha256]),
          ]),
        );
        return EXIT.done;
      }),
    );
}

interface Pin {
  readonly publisher: string;
  readonly root_sha256: string;
}

/** Writes the configuration with the pin, atomically. Throws USAGE where another fingerprint is pinned. */
async function pin(config: LoadedConfig, wanted: Pin, replace: boolean): Promise<boolean> {
  const held = config.trust.find(({ publisher }) => publisher === wanted.publisher);
  if (held?.root_sha256 === wanted.root_sha256) return false;
  if (held !== undefined && !replace)
    throw new HashfedError('USAGE', `another root of ${wanted.publisher} is pinned: ${held.root_sha256}`, {
      field: 'fingerprint',
    });
  const written = JSON.parse(await readFile(config.file, 'utf8')) as { trust?: Pin[] };
  const others = (written.trust ?? []).filter(({ publisher }) => publisher !== wanted.publisher);
  const next = { ...written, trust: [...others, wanted] };
  const parsed = ClientConfigSchema.safeParse(next);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new HashfedError('USAGE', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}`, {
      field: 'fingerprint',
    });
  }
  const temporary = `${config.file}.${randomBytes(4).toString('hex')}`;
  await writeFile(temporary, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(temporary, config.file);
  return true;
}
