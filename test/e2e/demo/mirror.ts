import { join } from 'node:path';
import type { Federation } from './federation.js';
import { hashfed, type Running, result, startHashfed } from './processes.js';
import type { Report } from './report.js';
import { must } from './run.js';

/** How long a mirror may take to carry what the origin shows, milliseconds. */
const CARRY_MS = 60_000;
const LOOK_MS = 500;

export interface MirroredList extends Record<string, unknown> {
  readonly origin: string;
  readonly origin_root: string;
  readonly mirror_root: string;
}

interface Audited {
  readonly origin: string;
  readonly checkpoint_root?: string;
  readonly error?: { readonly code: string };
}

/** Runs a mirror beside the server until every list that it serves, audited from its first entry, has the same root. */
export async function mirrorLists(report: Report, federation: Federation): Promise<MirroredList[]> {
  const config = join(federation.folder, 'members', 'mirror', 'mirror.json');
  const mirror = startHashfed(['mirror', '--config', config, '--listen', '127.0.0.1:0']);
  try {
    const address = (await mirror.line((line) => line.startsWith('listening '), 30_000)).split(' ')[1] ?? '';
    const lists = await report.during(
      'the mirror follows; every list is audited from its first entry',
      compare(federation, address, mirror),
    );
    report.step('mirror', `${lists.length} lists carried, audited from the first entry, roots equal`, {
      address,
      lists,
    });
    return lists;
  } finally {
    await mirror.stop();
  }
}

async function compare(federation: Federation, address: string, mirror: Running): Promise<MirroredList[]> {
  const origin = await audit(federation, federation.address);
  must(
    origin.every(({ error }) => error === undefined),
    'a list of the origin does not verify',
  );
  for (const deadline = Date.now() + CARRY_MS; ; ) {
    const carried = new Map((await audit(federation, address)).map((list) => [list.origin, list]));
    const lists = origin.map((list) => ({
      origin: list.origin,
      origin_root: list.checkpoint_root ?? '',
      mirror_root: carried.get(list.origin)?.checkpoint_root ?? '',
    }));
    if (lists.every((list) => list.origin_root === list.mirror_root)) return lists;
    must(Date.now() < deadline, `the mirror does not carry what the origin shows: ${mirror.stderr.trim()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** A mirror that has not caught up fails some lists: any exit code will do. */
async function audit(federation: Federation, address: string): Promise<Audited[]> {
  const args = ['verify', '--server', address, '--config', federation.config('hoster-b')];
  return (result(await hashfed(args, [0, 1, 4])) as { lists?: Audited[] }).lists ?? [];
}
