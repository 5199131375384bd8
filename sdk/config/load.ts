import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { HashfedError } from '../core/index.js';
import { type ClientConfig, ClientConfigSchema } from './schema.js';

/** A checked configuration and the folder its relative paths start from. */
export interface LoadedConfig extends ClientConfig {
  readonly file: string;
  /** The absolute path of a path written in the file. */
  readonly path: (written: string) => string;
}

const DEFAULT_FILE = 'hashfed.json';

/**
 * Reads the file given by `--config`, else by HASHFED_CONFIG, else ./hashfed.json. Throws USAGE naming the
 * field that is wrong.
 */
export async function loadConfig(option: string | undefined, env: NodeJS.ProcessEnv): Promise<LoadedConfig> {
  const file = resolve(option ?? env['HASHFED_CONFIG'] ?? DEFAULT_FILE);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HashfedError(
      'USAGE',
      `no configuration at ${file}; name one with --config FILE or HASHFED_CONFIG`,
      { field: 'config', cause },
    );
  });
  const parsed = ClientConfigSchema.safeParse(parseJson(text, file));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') || '(top level)';
    throw new HashfedError('USAGE', `${file}: ${field}: ${issue?.message ?? 'is not valid'}`, { field });
  }
  const base = dirname(file);
  return { ...parsed.data, file, path: (written) => (isAbsolute(written) ? written : join(base, written)) };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HashfedError('USAGE', `${file}: is not JSON: ${(cause as Error).message}`, {
      field: 'config',
      cause,
    });
  }
}
