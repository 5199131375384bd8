import { open, readFile } from 'node:fs/promises';
import { HashfedError } from '../../sdk/core/index.js';
import type { Identity } from './authority.js';

/** Bytes of a PEM file that is read; a certificate takes about 1 KiB. */
const MAX_PEM_BYTES = 64 * 1024;

/** Where the two halves of an identity lie. */
export interface IdentityFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Writes an identity: the key with mode 0600, the certificate with 0644, both synced. Refuses to overwrite
 * with USAGE, so that no key is lost by running a command twice.
 */
export async function writeIdentity(files: IdentityFiles, identity: Identity): Promise<void> {
  await writeNew(files.key, identity.keyPem, 0o600);
  await writeNew(files.certificate, identity.certificatePem, 0o644);
}

/** Writes a new file with `mode`, synced. Throws USAGE where it exists already. */
export async function writeNew(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EEXIST' ? 'exists already; it is never overwritten' : 'cannot be written';
    throw new HashfedError('USAGE', `${file}: ${why}`, { field: 'file', cause });
  });
  try {
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Reads an identity written by `writeIdentity`. Throws USAGE naming the file. */
export async function readIdentity(files: IdentityFiles): Promise<Identity> {
  return { certificatePem: await readPem(files.certificate), keyPem: await readPem(files.key) };
}

async function readPem(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `${file}: cannot be read`, { field: 'file', cause });
  });
  if (text.length > MAX_PEM_BYTES)
    throw new HashfedError('USAGE', `${file}: is no PEM file`, { field: 'file' });
  return text;
}
