import { readFile } from 'node:fs/promises';
import { HashfedError } from '../../sdk/core/index.js';
import type { Log } from '../logging/index.js';
import { checkMaterial, type MutualTls, type TlsMaterial } from './credentials.js';

/** Where the PEM texts lie; absolute paths. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
}

/** Characters of one PEM file. */
const MAX_PEM_CHARS = 1024 * 1024;

/** Reads the three files and checks them together. Throws USAGE naming the field. */
export async function readMaterial(files: TlsFiles, nowMs: number): Promise<TlsMaterial> {
  const [certificate, key, clientCa] = await Promise.all([
    readPem(files.certificate, 'tls.certificate'),
    readPem(files.key, 'tls.key'),
    readPem(files.clientCa, 'tls.client_ca'),
  ]);
  const material = { certificate, key, clientCa };
  checkMaterial(material, nowMs);
  return material;
}

/**
 * Watches the files and hands changed, valid material to the listener. Material that does not check out is
 * reported once and the last good one stays in use.
 */
export class CertificateReloader {
  readonly #files: TlsFiles;
  readonly #credentials: MutualTls;
  readonly #log: Log;
  readonly #nowMs: () => number;
  #inUse: string;
  #refused = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(files: TlsFiles, credentials: MutualTls, first: TlsMaterial, nowMs: () => number, log: Log) {
    this.#files = files;
    this.#credentials = credentials;
    this.#nowMs = nowMs;
    this.#log = log;
    this.#inUse = fingerprint(first);
  }

  start(everyMs: number): void {
    this.#timer = setInterval(() => void this.reload(), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks once; true where new material is in use now. Never throws. */
  async reload(): Promise<boolean> {
    try {
      const material = await readMaterial(this.#files, this.#nowMs());
      const found = fingerprint(material);
      if (found === this.#inUse) return false;
      this.#credentials.replace(material);
      this.#inUse = found;
      this.#refused = '';
      this.#log.info('tls.reloaded');
      return true;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }

  #report(error: unknown): void {
    const why = error instanceof HashfedError ? error.message : 'unexpected';
    if (why === this.#refused) return;
    this.#refused = why;
    this.#log.error('tls.reload-refused', { why, error });
  }
}

function fingerprint(material: TlsMaterial): string {
  return `${material.certificate}\0${material.key}\0${material.clientCa}`;
}

async function readPem(file: string, field: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `${field}: the file cannot be read`, { field, cause });
  });
  if (text.length > MAX_PEM_CHARS)
    throw new HashfedError('USAGE', `${field}: the file is too long`, { field });
  return text;
}
