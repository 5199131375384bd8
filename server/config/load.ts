import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { HashfedError } from '../../sdk/core/index.js';
import { type ServerConfig, ServerConfigSchema } from './schema.js';

/** Bytes of a configuration file. */
const MAX_CONFIG_BYTES = 256 * 1024;

/** Environment variables that replace one field each; they win over the file. */
const VARIABLES: Readonly<Record<string, readonly [string, ...string[]]>> = {
  HASHFED_LISTEN: ['listen'],
  HASHFED_STORAGE: ['storage'],
  HASHFED_LOG_LEVEL: ['log', 'level'],
  HASHFED_LOG_FILE: ['log', 'file'],
  HASHFED_TLS_CERTIFICATE: ['tls', 'certificate'],
  HASHFED_TLS_KEY: ['tls', 'key'],
  HASHFED_TLS_CLIENT_CA: ['tls', 'client_ca'],
  HASHFED_OPERATOR_KEYS: ['operator_keys'],
};

/** A checked configuration and the folder its relative paths start from. */
export interface LoadedServerConfig extends ServerConfig {
  readonly file: string;
  /** The absolute path of a path written in the file. */
  readonly path: (written: string) => string;
}

/** What the command line overrides. */
export interface ServerOverrides {
  readonly storage?: string;
  readonly listen?: string;
}

/**
 * Reads the file, then the environment (`HASHFED_…`), then the command line; each wins over the one before.
 * Throws USAGE naming file and field.
 */
export async function loadServerConfig(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  overrides: ServerOverrides = {},
): Promise<LoadedServerConfig> {
  const given = option ?? env['HASHFED_CONFIG'];
  if (given === undefined)
    throw usage('config', 'name the configuration with --config FILE or HASHFED_CONFIG');
  const file = resolve(given);
  const written = parseObject(await readText(file), file);
  for (const [name, at] of Object.entries(VARIABLES)) put(written, at, env[name]);
  put(written, ['storage'], overrides.storage);
  put(written, ['listen'], overrides.listen);
  return withPaths(check(written, file), file);
}

function check(written: object, file: string): ServerConfig {
  const parsed = ServerConfigSchema.safeParse(written);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || '(top level)';
  throw usage(field, `${file}: ${field}: ${issue?.message ?? 'is not valid'}`);
}

function withPaths(config: ServerConfig, file: string): LoadedServerConfig {
  const base = dirname(file);
  return { ...config, file, path: (written) => (isAbsolute(written) ? written : join(base, written)) };
}

async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw usage('config', `${file}: cannot be read`, cause);
  });
  if (bytes.length > MAX_CONFIG_BYTES) throw usage('config', `${file}: is over ${MAX_CONFIG_BYTES} bytes`);
  return bytes.toString('utf8');
}

function parseObject(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (cause) {
    throw usage('config', `${file}: is not JSON`, cause);
  }
  throw usage('config', `${file}: must hold one JSON object`);
}

/** Sets one field of a copy, making the objects on the way. */
function put(
  target: Record<string, unknown>,
  at: readonly [string, ...string[]],
  value: string | undefined,
): void {
  if (value === undefined) return;
  const [first, ...rest] = at;
  const [next, ...deeper] = rest;
  if (next === undefined) {
    target[first] = value;
    return;
  }
  const inner = target[first];
  const copy: Record<string, unknown> = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  put(copy, [next, ...deeper], value);
  target[first] = copy;
}

function usage(field: string, why: string, cause?: unknown): HashfedError {
  return new HashfedError('USAGE', why, { field, cause });
}
