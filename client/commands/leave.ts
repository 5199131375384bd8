import type { Command } from 'commander';
import { HashfedError, openInventory } from '../../sdk/index.js';
import { action, count, EXIT } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';

interface Options {
  readonly yes?: boolean;
  readonly offline?: boolean;
}

export function register(program: Command): void {
  program
    .command('leave')
    .description(
      'stop taking part: tell the server, then remove every list and the inventory from this machine',
    )
    .option('--yes', 'do it; without it nothing happens')
    .option('--offline', 'remove everything even where the server cannot be told')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed leave --yes\n\n' +
        'The journal of quarantined objects stays: the law may demand it. Remove the store folder to end it, too.',
    )
    .action(
      action<Options>((context, { yes, offline }) =>
        withHoster(context, 'write', async (hashfed) => {
          const origins = await hashfed.store.origins();
          if (yes !== true)
            throw new HashfedError(
              'USAGE',
              `this removes ${count(origins.length, 'list')} and the inventory; say so with --yes`,
              {
                field: 'yes',
              },
            );
          const told = await hashfed.report(context.signal, true);
          if (!told && offline !== true)
            throw new HashfedError(
              'UNAVAILABLE',
              'the server could not be told; nothing was removed (see --offline)',
            );
          const inventory = openInventory(hashfed, await context.config());
          for (const origin of origins) await hashfed.store.list(origin).drop();
          await inventory.wipe();
          context.out.result({ left: true, told, removed: origins }, [
            `${count(origins.length, 'list')} and the inventory: removed.`,
            told ? 'The server knows.' : 'The server does not know: tell its operator.',
          ]);
          return EXIT.done;
        }),
      ),
    );
}
