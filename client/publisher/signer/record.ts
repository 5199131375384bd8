import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SignerRecord } from '../../../proto/gen/hashfed/v1/files.js';
import { equalBytes, HashfedError } from '../../../sdk/core/index.js';
import { packFile, RECORD_FILE, unpackFile } from '../files/index.js';

/** The few calls through which a record reaches the disk; tests fail each of them. */
export interface RecordDisk {
  /** The file's bytes, or undefined where there is none. */
  read(file: string): Promise<Uint8Array | undefined>;
  /** MUST replace the file atomically and MUST NOT resolve before content and name are on stable storage. */
  replace(file: string, bytes: Uint8Array): Promise<void>;
  /** Takes the lock or throws `SIGNER_BEHIND`; the answer releases it. Two signers never hold it together. */
  lock(file: string): Promise<() => Promise<void>>;
}

export const recordDisk: RecordDisk = {
  async read(file) {
    try {
      return new Uint8Array(await readFile(file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new HashfedError('STORAGE_FAILED', 'the signer record cannot be read', { cause: error });
    }
  },
  async replace(file, bytes) {
    const temporary = join(dirname(file), `.${randomBytes(8).toString('hex')}.tmp`);
    try {
      await writeSynced(temporary, bytes);
      await rename(temporary, file);
      await syncDirectory(dirname(file));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw new HashfedError('STORAGE_FAILED', 'the signer record cannot be written; nothing was released', {
        cause: error,
      });
    }
  },
  async lock(file) {
    const lockFile = `${file}.lock`;
    const handle = await open(lockFile, 'wx', 0o600).catch((cause: unknown) => {
      throw new HashfedError('SIGNER_BEHIND', `another signer is at work; if none is, remove ${lockFile}`, {
        cause,
      });
    });
    await handle.close();
    return () => rm(lockFile, { force: true });
  },
};

async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The record of one key, or undefined before its first signature. Throws `MALFORMED` for a damaged file. */
export async function loadRecord(
  disk: RecordDisk,
  file: string,
  key: Uint8Array,
): Promise<SignerRecord | undefined> {
  const bytes = await disk.read(file);
  if (bytes === undefined) return undefined;
  const record = unpackFile(RECORD_FILE, SignerRecord, bytes);
  if (!equalBytes(record.key, key))
    throw new HashfedError('SIGNER_BEHIND', 'the signer record is of another key');
  return record;
}

export async function storeRecord(disk: RecordDisk, file: string, record: SignerRecord): Promise<void> {
  await disk.replace(file, packFile(RECORD_FILE, SignerRecord.encode(record).finish()));
}
