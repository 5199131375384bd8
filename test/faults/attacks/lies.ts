import type { PullEntriesResponse } from '../../../proto/gen/hashfed/v1/list.js';
import type { PublisherRoot } from '../../../proto/gen/hashfed/v1/root.js';
import { ORIGIN, type World } from '../../support/liar/index.js';
import type { TestKey } from '../../support/trust/keys.js';

export const NONE = new Uint8Array();

/** The server says that there is a version 2, and serves this as it. */
export function serveRoot(w: World, envelope: Uint8Array): void {
  w.offer(({ rootVersion }) => ({ rootVersion: rootVersion + 1n }));
  const newest = w.police.roots.length;
  w.liar.lies.root = (version, publisher, honest) =>
    version === newest + 1 && publisher === w.police.name ? envelope : honest();
}

export const forge = (w: World, bend: Partial<PublisherRoot>, signers?: readonly TestKey[]): Uint8Array =>
  w.police.nextRoot(bend, signers).envelope;

export const ofRoots = (w: World, ...at: number[]): TestKey[] => at.map((i) => w.police.keys.roots[i]!);

/** The statement was refused and told, and the one held stayed. */
export function refused(w: World, what: 'freshness' | 'liveness', code: string): void {
  const told = w.last?.alarms.some(
    (one) => one.kind === 'statement' && one.what === what && one.code === code,
  );
  if (told !== true) throw new Error(`no alarm ${code} about ${what}: ${JSON.stringify(w.last?.alarms)}`);
}

export async function standing(w: World, state: string, cause: string): Promise<void> {
  const now = await w.standing();
  if (now.state !== state || now.causes[0] !== cause)
    throw new Error(`is ${now.state} ${now.causes.join(' ')}, not ${state} ${cause}`);
}

/** Evidence of the fork was kept on disk. */
export async function keptEvidence(w: World): Promise<void> {
  if ((await w.victim.evidence(ORIGIN)) === 0) throw new Error('no evidence was kept');
}

/** Twenty honest entries and their SEAL, in three messages, bent on the way. */
export function inTransit(
  w: World,
  bend: (honest: PullEntriesResponse[]) => Iterable<PullEntriesResponse | Buffer>,
): void {
  w.more(20);
  w.liar.lies.pull = (honest) => bend([...honest]);
}
