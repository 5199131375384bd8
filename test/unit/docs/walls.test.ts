import { readdirSync, readFileSync } from 'node:fs';
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

/** The projects that one may import. The compiler also lets through whatever these refer to in their turn. */
function referencesOf(path: string): string[] {
  const folder = dirname(fileOf(path));
  const below = (projectOf(path).references ?? []).map((one) => resolve(ROOT, folder, one.path));
  return below.map((one) => nameOf(relative(ROOT, one))).sort();
}

const all = referencesOf('tsconfig.json');
const products = all.filter((name) => !name.startsWith('test'));
const SERVICES = 'proto/tsconfig.services.json';

/** The project that compiles a file: for services and messages by name, for the others the innermost folder. */
function ownerOf(file: string): string | undefined {
  if (file.startsWith('proto/'))
    return file.endsWith('_service.ts') ? SERVICES : 'proto/tsconfig.messages.json';
  const around = all.filter((name) => file.startsWith(`${name}/`));
  return around.sort((a, b) => b.length - a.length)[0];
}

function sourcesOf(name: string): string[] {
  const folder = name.endsWith('.json') ? dirname(name) : name;
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  const files = names.filter((one) => one.endsWith('.ts')).map((one) => join(folder, one));
  return files.filter((file) => ownerOf(file) === name);
}

/** The files of the project that a file names in an import, an export or a type. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const named = [...text.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.js['"]/g)];
  return named.map((match) => join(dirname(file), `${match[1]}.ts`));
}

/** The imports that lead out of a project, each with the file that makes it. */
function outwardOf(name: string): { readonly file: string; readonly owner: string | undefined }[] {
  const pairs = sourcesOf(name).flatMap((file) =>
    importsOf(file).map((to) => ({ file, owner: ownerOf(to) })),
  );
  return pairs.filter(({ owner }) => owner !== name);
}

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

  it('services are known to sdk/rpc and the server alone', () => {
    expect(products.filter((name) => referencesOf(name).includes(SERVICES)).sort()).toEqual([
      'sdk/rpc',
      'server',
    ]);
  });

  it.each(products)('%s imports no project that it does not itself refer to', (name) => {
    const allowed = referencesOf(name);
    expect(outwardOf(name).filter(({ owner }) => !allowed.includes(owner ?? ''))).toEqual([]);
  });

  it('the imports that lead out of a project are found', () => {
    expect(outwardOf('sdk/rpc').map(({ owner }) => owner)).toContain(SERVICES);
    expect(outwardOf('client').map(({ owner }) => owner)).toContain('sdk/core');
    expect(outwardOf('sdk').map(({ owner }) => owner)).toContain('proto/tsconfig.messages.json');
  });
});
