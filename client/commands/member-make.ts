import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { LoadedConfig } from '../../sdk/config/index.js';
import { boxPublicKey, HashfedError, toHex } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import type { CliContext } from '../cli/index.js';
import {
  type Authority,
  issueForRequest,
  issueMember,
  openAuthority,
  readIdentity,
  writeIdentity,
  writeNew,
} from '../pki/index.js';
import { makeKey, writeKey } from '../publisher/keys/index.js';

/** A new member's public keys and what was written for it. */
export interface MadeMember {
  readonly signingKeys: readonly Uint8Array[];
  readonly boxKeys: readonly Uint8Array[];
  readonly files: readonly string[];
}

/** The authority's folder: `--ca`, else beside the folder of members. */
export async function openCa(config: LoadedConfig, option: string | undefined): Promise<Authority> {
  const folder = resolve(option ?? join(dirname(config.file), '..', '..', 'ca'));
  const identity = await readIdentity({ certificate: join(folder, 'ca.pem'), key: join(folder, 'ca.key') });
  return openAuthority(identity);
}

/** Signs the certificate request of a member who keeps its own keys. */
export async function certify(
  context: CliContext,
  authority: Authority,
  name: string,
  csrFile: string,
): Promise<readonly string[]> {
  const { federation } = await context.config();
  const csr = await readFile(csrFile, 'utf8').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read ${csrFile}`, { field: 'csr', cause });
  });
  const pem = await issueForRequest(context, authority, csr, { federation, member: name });
  const file = join(dirname(resolve(csrFile)), `${name}.pem`);
  await writeNew(file, pem, 0o644);
  return [file];
}

/** Makes keys, certificate and configuration of a member in a folder of its own: for development. */
export async function makeFolder(
  context: CliContext,
  authority: Authority,
  name: string,
  folder: string,
): Promise<MadeMember> {
  const config = await context.config();
  const { random } = context;
  const { ed25519 } = platformSuite();
  const { federation } = config;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const at = (file: string): string => join(folder, file);
  const identity = await issueMember(context, authority, { federation, member: name });
  await writeIdentity({ certificate: at('member.pem'), key: at('member.key') }, identity);
  await writeNew(at('ca.pem'), await readFile(config.path(config.tls.ca)), 0o644);
  const signing = makeKey('signing', '', random, ed25519);
  await writeKey(at('signing.key'), signing, random);
  const box = random.bytes(32);
  await writeNew(at('box.key'), `${toHex(box)}\n`, 0o600);
  await writeNew(at('store.key'), `${toHex(random.bytes(32))}\n`, 0o600);
  await writeNew(at('hashfed.json'), configText(config, name), 0o600);
  return { signingKeys: [signing.publicKey], boxKeys: [boxPublicKey(box)], files: [at('hashfed.json')] };
}

/** The operator's own trust and lists to begin with: a publisher's root is pinned by whoever relies on it. */
function configText(config: LoadedConfig, member: string): string {
  const { federation, sources, directory_sha256, trust, lists } = config;
  const made = {
    format: 1,
    federation,
    member,
    tls: { ca: 'ca.pem', cert: 'member.pem', key: 'member.key' },
    sources,
    directory_sha256,
    store: { dir: 'store', key_file: 'store.key' },
    signing_key: 'signing.key',
    box_key: 'box.key',
    trust,
    lists,
  };
  return `${JSON.stringify(made, null, 2)}\n`;
}
