import { readFile } from 'node:fs/promises';
import { HashfedError, type Random } from '../core/index.js';
import { openChannel } from '../rpc/index.js';
import type { Source } from './deps.js';

export interface SourceConfig {
  readonly address: string;
  readonly serverName?: string;
}

/** Files of a member's identity, PEM. */
export interface TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Opens one channel per source with the member's certificate. Throws USAGE for a file that cannot be read. */
export async function connectSources(
  configs: readonly SourceConfig[],
  files: TlsFiles,
  random: Random,
): Promise<Source[]> {
  const [ca, certificate, key] = await Promise.all([
    readPem(files.ca, 'ca'),
    readPem(files.certificate, 'cert'),
    readPem(files.key, 'key'),
  ]);
  return configs.map(({ address, serverName }) => ({
    name: address,
    channel: openChannel({
      address,
      tls: { ca, certificate, key },
      random,
      ...(serverName !== undefined && { serverName }),
    }),
  }));
}

async function readPem(file: string, field: string): Promise<Uint8Array> {
  return readFile(file).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `tls.${field}: cannot read ${file}`, { field: `tls.${field}`, cause });
  });
}
