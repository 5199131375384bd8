import type { Command } from 'commander';
import { HashfedError } from '../../sdk/core/index.js';
import { action, EXIT } from '../cli/index.js';
import { withDirectory } from './member-directory.js';
import { certify, openCa } from './member-make.js';

interface Options {
  readonly csr: string;
  readonly ca?: string;
}

export function registerCertify(member: Command): void {
  member
    .command('certify')
    .argument('<name>', 'the member')
    .description('a new certificate for a member before the old one expires, from its certificate request')
    .requiredOption('--csr <file>', 'its certificate request; the certificate is written beside it')
    .option('--ca <dir>', "the authority's folder (default: ../../ca)")
    .addHelpText('after', '\nExample:\n  hashfed member certify acme --csr acme-2027.csr')
    .action(
      action<Options>((context, { csr, ca }, [name = '']) =>
        withDirectory(context, async ({ directory }) => {
          const held = directory.members.get(`members/${name}`);
          if (held === undefined)
            throw new HashfedError(
              'NOT_FOUND',
              `the directory knows no member ${name}; see hashfed member list`,
            );
          if (held.status !== 'active')
            throw new HashfedError('USAGE', `the membership of ${name} is ${held.status}`, { field: 'name' });
          const authority = await openCa(await context.config(), ca);
          const [certificate] = await certify(context, authority, name, csr);
          context.out.result({ member: held.name, certificate }, `Wrote ${certificate}.`);
          return EXIT.done;
        }),
      ),
    );
}
