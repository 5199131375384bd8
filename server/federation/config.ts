import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { HashfedError } from '../../sdk/core/index.js';
import { type LoadedServerConfig, ServerConfigSchema } from '../config/index.js';

/** Bytes of a configuration file. */
const MAX_CONFIG_BYTES = 256 * 1024;
const path = z.string().min(1).max(4096);
const hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const keyName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9./_-]{0,127}$/, 'must be a name such as mirror.example/hashfed');

const upstream = z.strictObject({
  /** host:port of a server or of another mirror. */
  address: z.string().regex(/^[^\s/]+:\d{1,5}$/, 'must be host:port'),
  /** Name expected in its certificate, where it differs from the host. */
  server_name: z.string().max(253).optional(),
});

const publisher = z.strictObject({
  publisher: z.string().regex(/^members\/[a-z0-9-]{1,64}$/, 'must be members/{member}'),
  /** SHA-256 of the version-1 root body, hex; compared out of band. */
  root_sha256: hex32,
});

/** `mirror.json`. Relative paths, those of `server` included, are relative to the file itself. */
export const MirrorConfigSchema = z.strictObject({
  format: z.literal(1),
  /** The serving half, as in `server.json`. */
  server: ServerConfigSchema,
  /** Whom it follows; all are asked each time. */
  upstreams: z.array(upstream).min(1).max(16),
  /** The mirror's own member certificate, shown to upstreams. */
  identity: z.strictObject({ ca: path, cert: path, key: path }),
  /** Only lists of these publishers are carried. */
  trust: z.array(publisher).min(1).max(256),
  /** Origins to carry; left out: every list that the publishers' roots name. */
  lists: z.array(z.string().min(1).max(128)).max(1024).optional(),
  /** Names under which it cosigns. Each has a key of its own, made on the first start in `operator_keys`. */
  cosign: z
    .strictObject({ mirror: keyName.optional(), witness: keyName.optional() })
    .refine(({ mirror, witness }) => mirror === undefined || mirror !== witness, 'names must differ')
    .prefault({}),
  /** C2SP verifier keys of other cosigners, whose lines are kept; `threshold` of them are demanded of upstreams. */
  cosigners: z
    .strictObject({ threshold: z.number().int().min(0).max(16), keys: z.array(z.string().max(512)).max(16) })
    .optional(),
});

export interface LoadedMirrorConfig extends Omit<z.infer<typeof MirrorConfigSchema>, 'server'> {
  readonly server: LoadedServerConfig;
}

/** What the command line overrides. */
export interface MirrorOverrides {
  readonly storage?: string | undefined;
  readonly listen?: string | undefined;
}

/** Reads and checks the whole file. Throws USAGE naming file and field. */
export async function loadMirrorConfig(
  given: string | undefined,
  overrides: MirrorOverrides = {},
): Promise<LoadedMirrorConfig> {
  if (given === undefined) throw usage('config', 'name the configuration with --config FILE');
  const file = resolve(given);
  const parsed = MirrorConfigSchema.safeParse(override(await readObject(file), overrides));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') || '(top level)';
    throw usage(field, `${file}: ${field}: ${issue?.message ?? 'is not valid'}`);
  }
  const base = dirname(file);
  const at = (written: string): string => (isAbsolute(written) ? written : join(base, written));
  const { identity, ...rest } = parsed.data;
  return {
    ...rest,
    identity: { ca: at(identity.ca), cert: at(identity.cert), key: at(identity.key) },
    server: { ...parsed.data.server, file, path: at },
  };
}

function override(written: Record<string, unknown>, overrides: MirrorOverrides): object {
  const { server } = written;
  if (typeof server !== 'object' || server === null) return written;
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return { ...written, server: { ...server, ...Object.fromEntries(given) } };
}

async function readObject(file: string): Promise<Record<string, unknown>> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw usage('config', `${file}: cannot be read`, cause);
  });
  if (bytes.length > MAX_CONFIG_BYTES) throw usage('config', `${file}: is over ${MAX_CONFIG_BYTES} bytes`);
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (cause) {
    throw usage('config', `${file}: is not JSON`, cause);
  }
  throw usage('config', `${file}: must hold one JSON object`);
}

function usage(field: string, message: string, cause?: unknown): HashfedError {
  return new HashfedError('USAGE', message, { field, ...(cause !== undefined && { cause }) });
}
