import { toHex } from '../../sdk/core/index.js';
import type { InitOptions } from './init.js';
import type { MemberOutline } from './plan.js';
import type { DevelopmentPublisher } from './publisher-keys.js';

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** `server.json` of a development server. */
export function serverConfig({ federation, listen }: InitOptions, directorySha256: Uint8Array): string {
  return json({
    format: 1,
    federation,
    listen,
    tls: { certificate: 'server.pem', key: 'server.key', client_ca: 'ca.pem' },
    directory: { file: 'bootstrap/directory.dsse', first_sha256: toHex(directorySha256) },
    bootstrap: 'bootstrap',
    storage: 'level:data',
    operator_keys: 'keys',
    log: { level: 'info', file: 'server.log' },
  });
}

/** `hashfed.json` of one member. */
export function memberConfig(
  { federation, listen }: InitOptions,
  outline: MemberOutline,
  publishers: readonly DevelopmentPublisher[],
  directorySha256: Uint8Array,
): string {
  const own = outline.domain !== undefined;
  const trusted = own
    ? publishers.filter((publisher) => publisher.outline.name === outline.name)
    : publishers;
  return json({
    format: 1,
    federation,
    member: outline.name,
    tls: { ca: 'ca.pem', cert: 'member.pem', key: 'member.key' },
    // TLS allows no IP address as a server name; the development certificate names localhost.
    sources: [{ address: listen, ...(listen.startsWith('127.') && { server_name: 'localhost' }) }],
    directory_sha256: toHex(directorySha256),
    store: { dir: 'store', key_file: 'store.key' },
    signing_key: 'signing.key',
    box_key: 'box.key',
    trust: trusted.map((publisher) => ({
      publisher: `members/${publisher.outline.name}`,
      root_sha256: toHex(publisher.fingerprint),
    })),
    lists: trusted.flatMap((publisher) => publisher.outline.lists),
    ...(own && {
      publisher: { domain: outline.domain, keys_dir: 'keys', records_dir: 'records', outbox_dir: 'outbox' },
    }),
  });
}
