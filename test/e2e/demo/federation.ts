import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Content } from './files.js';
import { freePort, hashfed } from './processes.js';

/** Paths of a development federation made by `hashfed init`. */
export interface Federation {
  readonly folder: string;
  readonly address: string;
  readonly server: string;
  config(member: string): string;
}

export async function makeFederation(folder: string): Promise<Federation> {
  const address = `127.0.0.1:${await freePort()}`;
  await hashfed(['init', folder, '--listen', address]);
  const config = (member: string): string => join(folder, 'members', member, 'hashfed.json');
  return { folder, address, server: join(folder, 'server', 'server.json'), config };
}

/** Sets the hoster's waits: none, but for one publisher whose entries stay in probation. */
export async function setPolicy(file: string): Promise<object> {
  const policy = {
    probation_hours: 0,
    observe_hours: 0,
    lists: { 'hotline.example': { probation_hours: 24 } },
  };
  const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, `${JSON.stringify({ ...config, policy }, null, 2)}\n`);
  return policy;
}

const MAP = {
  format: 1,
  columns: {
    md5: 'MD5',
    sha1: 'SHA1',
    sha256: 'SHA256',
    classification: 'Category',
    verifications: 'Verified by',
  },
  classifications: { 'Category 1': { scheme: 4, code: 1 } },
};

/** Writes what an analyst's tool would export: a CSV and the map that says what its columns mean. */
export async function writeCsv(
  folder: string,
  name: string,
  contents: readonly Content[],
): Promise<{ csv: string; map: string }> {
  const csv = join(folder, `${name}.csv`);
  const map = join(folder, 'map.json');
  const rows = contents.map(({ md5, sha1, sha256 }) => `${md5},${sha1},${sha256},Category 1,1`);
  await writeFile(csv, `${['MD5,SHA1,SHA256,Category,Verified by', ...rows].join('\n')}\n`);
  await writeFile(map, JSON.stringify(MAP));
  return { csv, map };
}
