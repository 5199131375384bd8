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

/** Publishes random sha256 hashes as a member, with all keys at hand. Answers what the command printed. */
export async function publishSample(
  federation: ProcessFederation,
  member: string,
  count: number,
  ...options: readonly string[]
): Promise<Record<string, unknown> & { hashes: string[] }> {
  const hashes = Array.from({ length: count }, () => randomBytes(32).toString('hex'));
  const file = join(federation.folder, `${randomBytes(4).toString('hex')}.csv`);
  const map = join(federation.folder, 'map.json');
  await writeFile(map, JSON.stringify(MAP));
  await writeFile(file, `sha256,class\n${hashes.map((hash) => `${hash},a\n`).join('')}`);
  const args = ['publish', file, '--map', map, '--collection', 'known', '--json', ...options];
  const { code, stdout, stderr } = await federation.run(member, ...args);
  if (code !== 0) throw new Error(`publish ended with ${code}: ${stderr}`);
  return { ...(JSON.parse(stdout) as Record<string, unknown>), hashes };
}
