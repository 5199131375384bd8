import { join } from 'node:path';
import { toHex } from '../../sdk/core/index.js';
import { type Authority, issueServer, writeIdentity, writeNew } from '../pki/index.js';
import type { InitOptions } from './init.js';
import type { DevelopmentPublisher, InitEnvironment } from './publisher-keys.js';

/** What the mirror's configuration is made from. */
export interface MirrorParts {
  /** The mirror member's folder; its own certificate lies there already. */
  readonly folder: string;
  readonly authority: Authority;
  readonly publishers: readonly DevelopmentPublisher[];
  readonly directory: { readonly envelope: Uint8Array; readonly sha256: Uint8Array };
}

/** `mirror.json` of the development mirror, and the server certificate it listens with. Its keys it makes itself. */
export async function writeMirror(
  environment: InitEnvironment,
  options: InitOptions,
  { folder, authority, publishers, directory }: MirrorParts,
): Promise<void> {
  const identity = await issueServer(environment, authority);
  await writeIdentity({ certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }, identity);
  await writeNew(join(folder, 'directory.dsse'), directory.envelope, 0o644);
  const config = mirrorConfig(options, publishers, directory.sha256);
  await writeNew(join(folder, 'mirror.json'), `${JSON.stringify(config, null, 2)}\n`, 0o600);
}

function mirrorConfig(
  { federation, listen }: InitOptions,
  publishers: readonly DevelopmentPublisher[],
  directorySha256: Uint8Array,
): object {
  return {
    format: 1,
    server: {
      format: 1,
      federation,
      listen: nextPort(listen),
      tls: { certificate: 'server.pem', key: 'server.key', client_ca: 'ca.pem' },
      directory: { file: 'directory.dsse', first_sha256: toHex(directorySha256) },
      storage: 'level:data',
      operator_keys: 'mirror-keys',
      log: { level: 'info', file: 'mirror.log' },
    },
    // TLS allows no IP address as a server name; the development certificate names localhost.
    upstreams: [{ address: listen, ...(listen.startsWith('127.') && { server_name: 'localhost' }) }],
    identity: { ca: 'ca.pem', cert: 'member.pem', key: 'member.key' },
    trust: publishers.map(({ outline, fingerprint }) => ({
      publisher: `members/${outline.name}`,
      root_sha256: toHex(fingerprint),
    })),
    cosign: { mirror: `mirror.${federation}`, witness: `witness.${federation}` },
  };
}

/** The port after the server's; any free one stays any free one. */
function nextPort(listen: string): string {
  const at = listen.lastIndexOf(':') + 1;
  const port = Number(listen.slice(at));
  return `${listen.slice(0, at)}${port === 0 || port === 65_535 ? 0 : port + 1}`;
}
