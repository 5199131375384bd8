import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCuttingProxy } from './cutting-proxy.js';
import type { Outcome } from './outcome.js';
import { type BadInputWorld, randomRows } from './world.js';

/** Answer bytes after which a line is cut: past the handshake, amid the entries. */
const CUT_AFTER = 30_000;

type Changes = readonly (readonly [what: string, by: string])[];

/** Another configuration of a member, written beside its own. */
async function changed(world: BadInputWorld, member: string, changes: Changes): Promise<string> {
  let text = await readFile(world.member(member), 'utf8');
  for (const [what, by] of changes) text = text.replaceAll(what, () => by);
  return world.configureAs(member, 'other.json', text);
}

export async function syncAs(world: BadInputWorld, changes: Changes): Promise<Outcome> {
  return world.commandAs('hoster-a', await changed(world, 'hoster-a', changes), 'sync');
}

const identity = (folder: string): Changes => [
  ['"member.pem"', `"${folder}/member.pem"`],
  ['"member.key"', `"${folder}/member.key"`],
];

/** Syncs with the certificate and key of a folder. */
export const syncWith = async (world: BadInputWorld, folder: string | Promise<string>): Promise<Outcome> =>
  syncAs(world, identity(await folder));

/** A publisher's command under the certificate of a hoster. */
export async function publishAsHoster(world: BadInputWorld): Promise<Outcome> {
  const config = await changed(world, 'hotline', identity('../hoster-b'));
  return world.commandAs('hotline', config, 'publish', ...(await world.source(randomRows(3))));
}

/** Publishes rows of a source file whose columns are id, md5, sha256, class. */
export const publishRows = async (world: BadInputWorld, ...rows: string[]): Promise<Outcome> =>
  world.command('hotline', 'publish', ...(await world.source(rows)));

/** Syncs over a line that breaks again and again. */
export async function syncOverBrokenLine(world: BadInputWorld): Promise<Outcome> {
  const proxy = await startCuttingProxy(world.address, CUT_AFTER);
  const outcome = await syncAs(world, [[world.address, proxy.address]]);
  proxy.stop();
  if (proxy.cuts === 0) throw new Error('nothing was cut');
  return outcome;
}

/** Signing with a key that the root does not name, on the signer's machine. */
export async function signWithStranger(world: BadInputWorld): Promise<Outcome> {
  const out = join(world.folder, 'requests');
  const batch = join(world.folder, 'split.hfbatch');
  const source = await world.source(randomRows(2));
  await must(world.command('hotline', 'import', ...source, '--out', batch));
  await must(world.command('hotline', 'batch', 'prepare', batch, '--out', out));
  const request = (await readdir(out)).find((name) => name.startsWith('list-')) ?? '';
  const key = world.member('police', 'keys/list.key');
  return world.command('hotline', 'batch', 'sign', join(out, request), '--key', key, '--yes');
}

/** Copies the server's store; then more is published and synced. Answers where the copy lies. */
export async function backUpAndGoOn(world: BadInputWorld): Promise<string> {
  await world.stopServer();
  const copy = await world.backUp();
  await world.start();
  await must(world.publish(5));
  await must(world.command('hoster-a', 'sync'));
  return copy;
}

/** Runs what has to succeed. */
export async function must(outcome: Promise<Outcome>): Promise<void> {
  const { reason, exit } = await outcome;
  if (exit !== 0) throw new Error(`ended with ${exit}: ${reason}`);
}
