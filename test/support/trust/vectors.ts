/**
 * Vector files under test/vectors: JSON, made by deterministic builders and compared with what is committed.
 * `UPDATE_VECTORS=1` writes them; a difference without it is a broken format.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = (name: string): string => fileURLToPath(new URL(`../../vectors/${name}.json`, import.meta.url));

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(path(name), 'utf8')) as T;
}

/** The text that the file must have; writes it first where asked to. */
export function goldenText(name: string, made: unknown): { made: string; committed: string } {
  const text = `${JSON.stringify(made, null, 1)}\n`;
  if (process.env['UPDATE_VECTORS'] === '1') {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
  }
  return { made: text, committed: readFileSync(path(name), 'utf8') };
}
