import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessFederation } from './federation-process.js';

const MAP = {
  format: 1,
  columns: { sha256: 'sha256', classification: 'class' },
  classifications: { a: { scheme: 1, code: 1 } },
  verifications: 1,
};

/** Random sha256 hashes as a source file; answers the arguments by which a command reads it. */
export async function writeSample(folder: string, count: number): Promise<string[]> {
  return argumentsFor(folder, sampleHashes(count));
}

const sampleHashes = (count: number): string[] =>
  Array.from({ length: count }, () => randomBytes(32).toString('hex'));

async function argumentsFor(folder: string, hashes: readonly string[]): Promise<string[]> {
  const file = join(folder, `${randomBytes(4).toString('hex')}.csv`);
  const map = join(folder, 'map.json');
  await writeFile(map, JSON.stringify(MAP));
  await writeFile(file, `sha256,class\n${hashes.map((hash) => `${hash},a\n`).join('')}`);
  return [file, '--map', map, '--collection', 'known'];
}

/** Publishes random sha256 hashes as a member, with all keys at hand. Answers what the command printed. */
export async function publishSample(
  federation: ProcessFederation,
  member: string,
  count: number,
  ...options: readonly string[]
): Promise<Record<string, unknown> & { hashes: string[] }> {
  const hashes = sampleHashes(count);
  const args = await argumentsFor(federation.folder, hashes);
  const { code, stdout, stderr } = await federation.run(member, 'publish', ...args, '--json', ...options);
  if (code !== 0) throw new Error(`publish ended with ${code}: ${stderr}`);
  return { ...(JSON.parse(stdout) as Record<string, unknown>), hashes };
}
