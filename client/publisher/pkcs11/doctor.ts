import { HashfedError } from '../../../sdk/core/index.js';
import { loadModule, P11 } from './api.js';

/** What a token says it can do. */
export interface TokenReport {
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  /** CKM_EDDSA: can sign. */
  readonly signs: boolean;
  /** CKM_EC_EDWARDS_KEY_PAIR_GEN: can make keys that never leave it. */
  readonly generates: boolean;
}

/** Asks every token of a module; no PIN is needed. Throws USAGE. */
export function examineModule(module: string): TokenReport[] {
  const api = loadModule(module);
  try {
    return api.C_GetSlotList(true).map((slot) => {
      const { label, manufacturerID, model } = api.C_GetTokenInfo(slot);
      const mechanisms = new Set(api.C_GetMechanismList(slot));
      return {
        label: label.trim(),
        manufacturer: manufacturerID.trim(),
        model: model.trim(),
        signs: mechanisms.has(P11.CKM_EDDSA),
        generates: mechanisms.has(P11.CKM_EC_EDWARDS_KEY_PAIR_GEN),
      };
    });
  } catch (cause) {
    throw new HashfedError('USAGE', 'the module does not answer what it can do', { field: 'pkcs11', cause });
  } finally {
    try {
      api.C_Finalize();
    } finally {
      api.close();
    }
  }
}
