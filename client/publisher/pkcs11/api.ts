import { createRequire } from 'node:module';
import { HashfedError } from '../../../sdk/core/index.js';

/** Numbers of PKCS#11 version 3.1 (OASIS, pkcs11-curr), which tokens of version 2.40 use too. */
export const P11 = {
  CKF_SERIAL_SESSION: 4,
  CKF_RW_SESSION: 2,
  CKU_USER: 1,
  CKO_PUBLIC_KEY: 2,
  CKO_PRIVATE_KEY: 3,
  CKK_EC_EDWARDS: 0x40,
  CKM_EC_EDWARDS_KEY_PAIR_GEN: 0x1055,
  CKM_EDDSA: 0x1057,
  CKA_CLASS: 0,
  CKA_TOKEN: 1,
  CKA_PRIVATE: 2,
  CKA_LABEL: 3,
  CKA_KEY_TYPE: 0x100,
  CKA_ID: 0x102,
  CKA_SENSITIVE: 0x103,
  CKA_SIGN: 0x108,
  CKA_VERIFY: 0x10a,
  CKA_EXTRACTABLE: 0x162,
  CKA_EC_PARAMS: 0x180,
  CKA_EC_POINT: 0x181,
} as const;

export type Handle = Buffer;
export type Template = { readonly type: number; readonly value?: number | boolean | string | Buffer }[];

/** What is used of pkcs11js, an optional package: without it, keys in files work as ever. */
export interface Pkcs11 {
  load(path: string): void;
  close(): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): {
    label: string;
    manufacturerID: string;
    model: string;
    serialNumber: string;
  };
  C_GetMechanismList(slot: Handle): number[];
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, user: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: Template): void;
  C_FindObjects(session: Handle, most: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(session: Handle, object: Handle, template: Template): { value: Buffer }[];
  C_SignInit(session: Handle, mechanism: { mechanism: number }, key: Handle): void;
  C_Sign(session: Handle, data: Buffer, out: Buffer): Buffer;
  C_GenerateKeyPair(
    session: Handle,
    mechanism: { mechanism: number },
    publicKey: Template,
    privateKey: Template,
  ): { publicKey: Handle; privateKey: Handle };
}

/** Loads a vendor's module and initialises it. Throws USAGE where the package or the module is not there. */
export function loadModule(path: string): Pkcs11 {
  const api = newApi();
  try {
    api.load(path);
    api.C_Initialize();
    return api;
  } catch (cause) {
    throw new HashfedError('USAGE', `cannot load the PKCS#11 module ${path}: ${reasonOf(cause)}`, {
      field: 'pkcs11',
      cause,
    });
  }
}

function newApi(): Pkcs11 {
  try {
    const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as { PKCS11: new () => Pkcs11 };
    return new PKCS11();
  } catch (cause) {
    const why =
      'the optional package pkcs11js is not installed; it needs a C++ compiler: npm install pkcs11js';
    throw new HashfedError('USAGE', why, { field: 'pkcs11', cause });
  }
}

/** The vendor's reason, such as CKR_PIN_INCORRECT. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /CKR_[A-Z_]+/.exec(text)?.[0] ?? text.split('\n', 1)[0]!.slice(0, 200);
}
