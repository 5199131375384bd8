import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

function packed(): string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [{ files }] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' }));
  return files.map(({ path }: { path: string }) => path);
}

describe('the package', () => {
  const files = packed();

  it('carries what it promises, and no tests', () => {
    const promised = [manifest.bin.hashfed, manifest.types, manifest.main, ...targets(manifest.exports)];
    const wanted = promised.map((path: string) => path.replace(/^\.\//, ''));
    expect(wanted.filter((path) => !files.includes(path))).toEqual([]);
    expect(files.filter((path) => /^(dist\/)?test\/|tsbuildinfo/.test(path))).toEqual([]);
  });

  it('carries every page that its README links to', () => {
    const links = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/\]\(([^)#:]+)\)/g)];
    expect(
      links.map(([, to]) => to!).filter((to) => existsSync(join(ROOT, to)) && !files.includes(to)),
    ).toEqual([]);
  });
});

const targets = (exports: object): string[] =>
  Object.values(exports).flatMap((one) => (typeof one === 'string' ? [one] : targets(one)));
