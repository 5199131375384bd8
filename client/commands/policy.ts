import type { Command } from 'commander';
import { describePolicy, policyOf } from '../../sdk/index.js';
import { action, EXIT } from '../cli/index.js';

export function register(program: Command): void {
  program
    .command('policy')
    .description('what this hoster does with a match')
    .addHelpText('after', '\nExample:\n  hashfed policy show')
    .command('show')
    .description('the effective policy, defaults included, in words')
    .addHelpText('after', '\nExample:\n  hashfed policy show')
    .action(
      action(async (context) => {
        const policy = policyOf(await context.config());
        const words = describePolicy(policy);
        context.out.result({ policy, words }, words);
        return EXIT.done;
      }),
    );
}
