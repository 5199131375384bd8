import { HashfedError, type Suite } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import type { CliContext } from '../cli/index.js';
import { Token, tokenBackend } from '../publisher/index.js';

/** One token a process: most modules allow one login. Handles of keys belong to this one backend. */
let opened: { readonly token: Token; readonly suite: Suite } | undefined;

/**
 * The suite that signs: with keys in files, and, where `--pkcs11 MODULE` or HASHFED_PKCS11_MODULE names one, with keys
 * in a token; its PIN is HASHFED_PKCS11_PIN, its label HASHFED_PKCS11_TOKEN where the module shows several.
 */
export function signingSuite({ env }: Pick<CliContext, 'env'>, pkcs11?: string): Suite {
  const module = pkcs11 ?? env['HASHFED_PKCS11_MODULE'];
  if (module === undefined || module === '') return opened?.suite ?? platformSuite();
  return open(env, module).suite;
}

/** The token itself, to make a key in it. Throws USAGE. */
export function openToken(env: NodeJS.ProcessEnv, module: string): Token {
  return open(env, module).token;
}

/** Logs in once; the process's end closes the session. */
function open(env: NodeJS.ProcessEnv, module: string): NonNullable<typeof opened> {
  if (opened !== undefined) return opened;
  const pin = env['HASHFED_PKCS11_PIN'];
  if (pin === undefined)
    throw new HashfedError('USAGE', 'set HASHFED_PKCS11_PIN to the PIN of the token', { field: 'pkcs11' });
  const label = env['HASHFED_PKCS11_TOKEN'];
  const token = Token.open({ module, pin, ...(label !== undefined && { label }) });
  const base = platformSuite();
  opened = { token, suite: { ...base, ed25519: tokenBackend(base.ed25519, token) } };
  return opened;
}
