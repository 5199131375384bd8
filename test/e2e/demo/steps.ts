import { join } from 'node:path';
import type { Federation } from './federation.js';
import { LEFT_OUT } from './files.js';
import { hashfed, result } from './processes.js';
import type { Report } from './report.js';
import { must, type Truth } from './run.js';

/** Exit code of `check` and `scan` where something matched. */
const MATCHED = 10;

/** Imports a CSV with the publisher's map, signs with both keys, commits. */
export async function publish(
  report: Report,
  federation: Federation,
  member: string,
  files: { csv: string; map: string },
): Promise<void> {
  const args = ['publish', files.csv, '--map', files.map, '--collection', 'known'];
  const answer = await report.during(
    `${member} imports, signs, commits`,
    hashfed([...args, '--config', federation.config(member)]),
  );
  const { lists } = result(answer) as { lists: { origin: string; added: number }[] };
  const types = lists.map(({ origin }) => origin.split('/')[2]).join(', ');
  report.step('publish', `${member}: ${lists[0]?.added} items, each as ${types}; signed with two keys`, {
    member,
    lists,
  });
}

export interface SyncedList extends Record<string, unknown> {
  readonly origin: string;
  readonly size: number;
  readonly present: number;
  readonly checkpoint_root: string;
  readonly stale: boolean;
}

/** What the hoster holds, as it says itself. */
export async function readLists(federation: Federation): Promise<SyncedList[]> {
  const { lists } = result(
    await hashfed(['lists', '--config', federation.config('hoster-a')]),
  ) as unknown as { lists: SyncedList[] };
  return lists.map(({ origin, size, present, checkpoint_root, stale }) => ({
    origin,
    size,
    present,
    checkpoint_root,
    stale,
  }));
}

/** Syncs the hoster and compares what it then holds with what was published. */
export async function sync(report: Report, federation: Federation, truth: Truth): Promise<void> {
  await report.during(
    'fetching and verifying lists',
    hashfed(['sync', '--config', federation.config('hoster-a')]),
  );
  const lists = await readLists(federation);
  for (const [domain, contents] of [
    ['police.example', truth.police],
    ['hotline.example', truth.hotline],
  ] as const) {
    const own = lists.filter(({ origin }) => origin.startsWith(`${domain}/`));
    must(own.length === 3, `expected three lists of ${domain}, found ${own.length}`);
    for (const list of own) {
      must(
        list.present === contents.length,
        `${list.origin} holds ${list.present} records, expected ${contents.length}`,
      );
      must(!list.stale, `${list.origin} is stale right after a sync`);
    }
  }
  report.step('sync', `${lists.length} lists verified and stored`, { lists });
}

/** The operator's harmless test file must answer `test`. */
export async function checkSelftest(report: Report, federation: Federation): Promise<void> {
  const file = join(federation.folder, 'selftest', 'selftest-1.txt');
  const answer = await hashfed(['check', file, '--config', federation.config('hoster-a')], [MATCHED]);
  const { files } = result(answer) as unknown as { files: { verdict: { action: string } }[] };
  must(files[0]?.verdict.action === 'test', `the self-test file answered ${files[0]?.verdict.action}`);
  report.step('selftest', 'the self-test file answers "test"');
}

interface MatchLine extends Record<string, unknown> {
  readonly event: string;
  readonly path: string;
  readonly action: string;
}

/** Scans the folder and compares every match with the truth. */
export async function scan(
  report: Report,
  federation: Federation,
  folder: string,
  truth: Truth,
): Promise<Record<string, number>> {
  const leftOut = [...LEFT_OUT].flatMap((name) => ['--exclude', name]);
  const answer = await report.during(
    `hashing and checking ${truth.tree.files} files`,
    hashfed(['scan', folder, ...leftOut, '--config', federation.config('hoster-a')], [MATCHED]),
  );
  const found = (answer.lines as MatchLine[]).filter(({ event }) => event === 'match');
  const truePaths = new Map<string, string>();
  for (const { paths } of truth.police) for (const path of paths) truePaths.set(path, 'block');
  for (const { paths } of truth.hotline) for (const path of paths) truePaths.set(path, 'hold');
  const wrong = found.filter(({ path }) => !truePaths.has(path));
  must(wrong.length === 0, `${wrong.length} files matched that are not listed`);
  must(found.length === truth.expected, `${found.length} files matched, expected ${truth.expected}`);
  for (const { path, action } of found)
    must(action === truePaths.get(path), `a file answered ${action}, expected ${truePaths.get(path)}`);
  const count = (wanted: string): number => found.filter(({ action }) => action === wanted).length;
  const end = result(answer) as unknown as { files: number; bytes: number };
  must(end.files >= truth.tree.files, `${end.files} files were scanned, ${truth.tree.files} are there`);
  const facts = {
    files: end.files,
    bytes: end.bytes,
    matches: found.length,
    false_matches: wrong.length,
    blocked: count('block'),
    held: count('hold'),
  };
  must(facts.blocked >= 1 && facts.held >= 1, 'nothing was blocked, or nothing was held');
  report.step(
    'scan',
    `${facts.files} files: ${facts.matches} matches, all true; ${facts.blocked} blocked, ${facts.held} held`,
    facts,
  );
  return facts;
}
