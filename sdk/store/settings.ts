import type { Ledger } from './ledger.js';
import type { Settings } from './types.js';

/** Small named values in the ledger. */
export function ledgerSettings(ledger: Ledger): Settings {
  const key = (name: string) => `se!${ledger.name('setting', name)}`;
  return {
    get: (name) => ledger.get(key(name)),
    put: (name, value) => ledger.commit(async (transaction) => transaction.put(key(name), value)),
    remove: (name) => ledger.commit(async (transaction) => transaction.remove(key(name))),
  };
}
