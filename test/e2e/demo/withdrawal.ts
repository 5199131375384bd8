import type { Federation } from './federation.js';
import type { Content } from './files.js';
import { hashfed, type Running, result, startHashfed } from './processes.js';
import type { Report } from './report.js';
import { must } from './run.js';

/** How long a withdrawal may take to reach a watching hoster, milliseconds. */
const REACH_MS = 60_000;

export interface Withdrawal {
  readonly applied_by: number;
  readonly of: number;
  readonly seconds: number;
  readonly released: number;
}

/** A watching hoster; the publisher withdraws one item; the match ends and the files are released. */
export async function withdrawAndRelease(
  report: Report,
  federation: Federation,
  content: Content,
): Promise<Withdrawal> {
  const config = federation.config('hoster-a');
  const watcher = startHashfed(['sync', '--watch', '--config', config]);
  try {
    await watcher.line((line) => line.includes('"watching"'), REACH_MS);
    const started = performance.now();
    const police = federation.config('police');
    const args = [
      'withdraw',
      '--collection',
      'known',
      '--hash',
      `sha256:${content.sha256}`,
      '--whole-item',
      '--reason',
      'wrong',
      '--config',
      police,
    ];
    const { publish_id: id } = result(await hashfed(args)) as { publish_id: string };
    const released = await releases(watcher, content.paths.length);
    const seconds = Math.round((performance.now() - started) / 10) / 100;
    const status = result(await hashfed(['withdrawal', 'status', id, '--config', police])) as {
      applied_by: number;
      of: number;
    };
    must(status.applied_by >= 1, 'no hoster reported that it applied the withdrawal');
    await watcher.stop();
    await requireNoMatch(config, content);
    report.step('withdraw', `withdrawn and released after ${seconds} s: ${released} files`, {
      seconds,
      released,
    });
    return { applied_by: status.applied_by, of: status.of, seconds, released };
  } finally {
    await watcher.stop();
  }
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

async function requireNoMatch(config: string, content: Content): Promise<void> {
  const { files } = result(await hashfed(['check', content.paths[0]!, '--config', config])) as {
    files: { verdict: { action: string } }[];
  };
  must(files[0]?.verdict.action === 'none', `the withdrawn file still answers ${files[0]?.verdict.action}`);
}
