import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

interface Project {
  readonly compilerOptions: { readonly rootDir?: string; readonly types?: readonly string[] };
  readonly references?: readonly { readonly path: string }[];
}

const fileOf = (path: string): string => (path.endsWith('.json') ? path : join(path, 'tsconfig.json'));
const projectOf = (path: string): Project => JSON.parse(readFileSync(join(ROOT, fileOf(path)), 'utf8'));
const nameOf = (path: string): string => path.replace(/\/?tsconfig\.json$/, '');

/** The projects that one may import: the compiler refuses everything that is not among its references. */
function referencesOf(path: string): string[] {
  const folder = dirname(fileOf(path));
  const below = (projectOf(path).references ?? []).map((one) => resolve(ROOT, folder, one.path));
  return below.map((one) => nameOf(relative(ROOT, one))).sort();
}

const all = referencesOf('tsconfig.json');
const products = all.filter((name) => !name.startsWith('test'));
const within = (names: readonly string[], ...allowed: RegExp[]) =>
  names.filter((name) => !allowed.some((pattern) => pattern.test(name)));

describe('who may import whom', () => {
  it.each(products)('%s cannot reach tests, and not outside its own folder', (name) => {
    expect(within(referencesOf(name), /^(?!test)/)).toEqual([]);
    expect(projectOf(name).compilerOptions.rootDir).toBe('.');
  });

  it('the core knows messages alone, and neither Node nor the browser', () => {
    expect(referencesOf('sdk/core')).toEqual(['proto/tsconfig.messages.json']);
    expect(projectOf('sdk/core').compilerOptions.types).toEqual([]);
    const base = JSON.parse(readFileSync(join(ROOT, 'tsconfig.base.json'), 'utf8'));
    expect(base.compilerOptions.lib).toEqual(['ES2023']);
  });

  it.each(all.filter((name) => /^sdk(?!\/core$)/.test(name)))('%s stays below client and server', (name) => {
    expect(within(referencesOf(name), /^proto\//, /^sdk\//)).toEqual([]);
  });

  it('client and server never see each other', () => {
    expect(within(referencesOf('client'), /^proto\//, /^sdk/)).toEqual([]);
    expect(within(referencesOf('server'), /^proto\//, /^sdk\//)).toEqual([]);
  });

  it('messages do not know services', () => {
    expect(referencesOf('proto/tsconfig.messages.json')).toEqual([]);
  });
});
