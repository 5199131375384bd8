import { setTimeout as sleep } from 'node:timers/promises';
import type { Federation } from './federation.js';
import type { Content } from './files.js';
import { hashfed, type Running, result, startHashfed } from './processes.js';
import type { Report } from './report.js';
import { must } from './run.js';

/** How long a withdrawal may take to reach a watching hoster, milliseconds. */
const REACH_MS = 60_000;
const ASK_AGAIN_MS = 100;
const HOSTERS = ['hoster-a', 'hoster-b'] as const;

export interface Withdrawal {
  /** Hosters that applied it to every list, of all that may read them. */
  readonly applied_by: number;
  readonly of: number;
  /** From the command to the last file released. */
  readonly seconds: number;
  readonly released: number;
}

/** Two watching hosters; the publisher withdraws one item; the match ends and the files are released. */
export async function withdrawAndRelease(
  report: Report,
  federation: Federation,
  content: Content,
): Promise<Withdrawal> {
  const watchers = HOSTERS.map((name) =>
    startHashfed(['sync', '--watch', '--config', federation.config(name)]),
  );
  try {
    const watching = watchers.map((one) => one.line((line) => line.includes('"watching"'), REACH_MS));
    await report.during('two hosters begin to watch', Promise.all(watching));
    const started = performance.now();
    const id = await withdraw(federation, content);
    const released = await releases(watchers[0]!, content.paths.length);
    const seconds = Math.round((performance.now() - started) / 10) / 100;
    const applied = await appliedBy(federation, id);
    must(applied.applied_by === HOSTERS.length, `${applied.applied_by} hosters applied it`);
    await requireNoMatch(federation.config('hoster-a'), content);
    const facts = { ...applied, seconds, released };
    report.step(
      'withdraw',
      `one item withdrawn; after ${seconds} s its ${released} files were released, and both hosters had applied it`,
      facts,
    );
    return facts;
  } finally {
    for (const watcher of watchers) await watcher.stop();
  }
}

async function withdraw(federation: Federation, { sha256 }: Content): Promise<string> {
  const what = ['--collection', 'known', '--hash', `sha256:${sha256}`, '--whole-item', '--reason', 'wrong'];
  const answer = await hashfed(['withdraw', ...what, '--config', federation.config('police')]);
  return (result(answer) as { publish_id: string }).publish_id;
}

/** Waits until the watcher has released as many objects as had the content. */
async function releases(watcher: Running, expected: number): Promise<number> {
  const total = (): number =>
    watcher.lines
      .map((line) => JSON.parse(line) as { event: string; released?: number })
      .reduce((sum, { event, released }) => sum + (event === 'synced' ? (released ?? 0) : 0), 0);
  await watcher.line(() => total() >= expected, REACH_MS);
  must(total() === expected, `${total()} objects were released, expected ${expected}`);
  return total();
}

interface Progress {
  readonly hoster: string;
  readonly applied: boolean;
}

/** Asks the publisher's side until every hoster reported it, or the time is up. */
async function appliedBy(federation: Federation, id: string): Promise<{ applied_by: number; of: number }> {
  const ask = ['withdrawal', 'status', id, '--config', federation.config('police')];
  for (const deadline = performance.now() + REACH_MS; ; await sleep(ASK_AGAIN_MS)) {
    const { progress } = result(await hashfed(ask)) as unknown as { progress: Progress[] };
    const hosters = new Set(progress.map(({ hoster }) => hoster));
    const behind = new Set(progress.filter(({ applied }) => !applied).map(({ hoster }) => hoster));
    const counts = { applied_by: hosters.size - behind.size, of: hosters.size };
    if (behind.size === 0 || performance.now() > deadline) return counts;
  }
}

/** Checked beside the watching process, which holds the store. */
async function requireNoMatch(config: string, content: Content): Promise<void> {
  const { files } = result(await hashfed(['check', content.paths[0]!, '--config', config])) as {
    files: { verdict: { action: string } }[];
  };
  must(files[0]?.verdict.action === 'none', `the withdrawn file still answers ${files[0]?.verdict.action}`);
}
