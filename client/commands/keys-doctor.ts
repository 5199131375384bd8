import type { Command } from 'commander';
import { HashfedError } from '../../sdk/core/index.js';
import { action, EXIT, table } from '../cli/index.js';
import { examineModule } from '../publisher/index.js';

interface Options {
  readonly pkcs11?: string;
}

export function registerDoctor(keys: Command): void {
  keys
    .command('doctor')
    .description('say whether the tokens of a PKCS#11 module can do EdDSA; needs no PIN')
    .option('--pkcs11 <module>', "path of the vendor's module (or HASHFED_PKCS11_MODULE)")
    .addHelpText('after', '\nExample:\n  hashfed keys doctor --pkcs11 /usr/lib/softhsm/libsofthsm2.so')
    .action(
      action<Options>(async ({ env, out }, { pkcs11 }) => {
        const module = pkcs11 ?? env['HASHFED_PKCS11_MODULE'];
        if (module === undefined)
          throw new HashfedError('USAGE', 'name a module with --pkcs11', { field: 'pkcs11' });
        const tokens = examineModule(module);
        const able = tokens.some(({ signs }) => signs);
        out.result({ module, tokens, able }, [
          ...table([
            ['token', 'manufacturer', 'model', 'signs EdDSA', 'makes keys'],
            ...tokens.map((one) => [
              one.label || '-',
              one.manufacturer,
              one.model,
              yes(one.signs),
              yes(one.generates),
            ]),
          ]),
          able
            ? 'This module can hold hashfed keys.'
            : 'No token here signs with EdDSA (CKM_EDDSA): its keys cannot be used. Keep them in encrypted files.',
        ]);
        return able ? EXIT.done : EXIT.failed;
      }),
    );
}

const yes = (is: boolean): string => (is ? 'yes' : 'no');
