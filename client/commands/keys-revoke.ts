import type { Command } from 'commander';
import { action, EXIT } from '../cli/index.js';
import { type ChangeOptions, propose, withChangeOptions } from './keys-rotate.js';

export function registerRevoke(keys: Command): void {
  withChangeOptions(
    keys
      .command('revoke')
      .argument('<key...>', 'public keys that are lost or in other hands (8 digits and more)')
      .description('propose a root version in which keys are revoked; what they signed before stands'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  hashfed keys revoke 4f1c02aa --add new-list.key --out root-2.proposal',
    )
    .action(
      action<ChangeOptions>(async (context, options, keysToRevoke) => {
        await propose(context, options, keysToRevoke, true);
        return EXIT.done;
      }),
    );
}
