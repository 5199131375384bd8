import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, type Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { registerCommands } from '../../../client/commands/index.js';

const ROOT = join(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'UPGRADING.md'];
const FILES = [...PAGES.filter((page) => existsSync(join(ROOT, page))), ...filesBelow('docs', '.md')];

const program = new Command('hashfed');
program.option('--json', '').option('--config <file>', '').option('--help', '').option('--version', '');
await registerCommands(program);

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

/** Links of a page, without those to other sites. */
const links = (text: string): string[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!).filter((to) => !/^[a-z]+:/.test(to));

/** The anchors that a page's headings make. */
const anchors = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** What stands in code: each line of a block, each span. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?!ts|json|hex)\w*\n([\s\S]*?)^```$/gm)].map(([, body]) => body!);
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => span!.replaceAll('\n', ' '));
  return [...blocks.flatMap((body) => body.replaceAll('\\\n', ' ').split('\n')), ...spans];
}

/** The words of each call of `hashfed` in a line, without its comment. */
const callsIn = (line: string): string[][] =>
  line
    .replace(/\s#.*$/, '')
    .split(/&&|;|\$\(/)
    .map((part) => /^\s*(?:npx )?hashfed ([a-z-].*)$/.exec(part)?.[1])
    .flatMap((call) => (call === undefined ? [] : [call.trim().split(/\s+/)]));

/** What is wrong with a call, if anything: no such command, or no such option of it. */
function faultOf(words: readonly string[]): string | undefined {
  let commands: Command[] = [program];
  const options: string[] = [];
  for (const word of words) {
    if (word.startsWith('-')) options.push(word.replace(/[=`,.)].*$/, ''));
    if (commands.some((one) => one.commands.length === 0) || word.startsWith('-')) continue;
    const next = word
      .split('|')
      .map((name) => commands[0]!.commands.find((one) => one.name() === name.replace(/[,.:)]$/, '')));
    if (next.some((one) => one === undefined)) {
      if (commands[0] === program && options.length === 0) return `no command ${word}`;
      break;
    }
    commands = next as Command[];
  }
  const known = new Set(
    [program, ...commands].flatMap(optionsOf).flatMap(({ long, short }) => [long, short]),
  );
  const unknown = options.find((one) => one.startsWith('--') && !known.has(one));
  return unknown === undefined ? undefined : `no option ${unknown}`;
}

const optionsOf = (command: Command): readonly Option[] => [
  ...command.options,
  ...(command.commands.length > 0 ? command.commands.flatMap((one) => one.options) : []),
];

describe.each(FILES)('%s', (file) => {
  const text = read(file);

  it('links to what exists', () => {
    const broken = links(text).filter((to) => {
      const [path = '', anchor] = to.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchors(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names commands and options that exist', () => {
    const faults = codeOf(text)
      .flatMap(callsIn)
      .flatMap((words) => {
        const fault = faultOf(words);
        return fault === undefined ? [] : [`${fault}: hashfed ${words.join(' ')}`];
      });
    expect(faults).toEqual([]);
  });

  it('names scripts and files of the repository that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run (?:-s )?([a-z-]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    const paths = [...text.matchAll(/`((?:sdk|client|server|proto|test|docs|\.ci)\/[\w./-]+)`/g)];
    expect(paths.map(([, path]) => path!).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

it('a command or an option that does not exist is found out', () => {
  expect(faultOf(['check', 'a.jpg', '--dry-run'])).toBeUndefined();
  expect(faultOf(['quarantine', 'hand-over|delete|expire'])).toBeUndefined();
  expect(faultOf(['chek', 'a.jpg'])).toBe('no command chek');
  expect(faultOf(['check', '--dryrun'])).toBe('no option --dryrun');
  expect(faultOf(['keys', 'rotate', '--bogus'])).toBe('no option --bogus');
});
