/** A small store with something in every table, and its contents as JSON: the committed fixture's two sides. */
import { createHash } from 'node:crypto';
import type { Storage } from '../../server/storage/index.js';
import { collect, grow, ORIGIN, OTHER, partOf, stage, utf8 } from './storage-fixtures.js';

const MEMBER = 'hoster.example';

export async function fillSample(storage: Storage): Promise<void> {
  await grow(storage, ORIGIN, 300);
  const [first, second] = [await stage(storage, ORIGIN, 300, 520), await stage(storage, OTHER, 0, 3)];
  await storage.logs.commit(
    [partOf(first), partOf(second)],
    [{ kind: 'idempotency', name: 'digest', version: 1, bytes: utf8('answer') }],
  );
  await storage.logs.erase(ORIGIN, [7, 301]);
  const waiting = await stage(storage, ORIGIN, 520, 530);
  await storage.prepared.put([waiting.id], utf8('prepared answer'));
  for (const version of [1, 2])
    await storage.documents.put({
      kind: 'root',
      name: 'police.example',
      version,
      bytes: utf8(`root ${version}`),
    });
  await storage.documents.put({ kind: 'freshness', name: ORIGIN, version: 1, bytes: utf8('fresh') });
  const report = {
    member: MEMBER,
    window: '2026-11-24',
    revision: 1,
    receivedMs: 1_790_000_000_000,
    bytes: utf8('counts'),
  };
  await storage.telemetry.put(report, utf8('receipt'));
  await storage.syncStates.put({ member: MEMBER, origin: ORIGIN, receivedMs: 5, bytes: utf8('state') });
  await storage.budgets.spend(MEMBER, 'lookup', 3, 10, 100);
  const key = { space: 'snapshot', name: ORIGIN, version: 300 } as const;
  await storage.parts.putPart(key, 0, utf8('part zero'));
  await storage.parts.complete(key, 1, utf8('index'));
}

const digest = (parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};
const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

/** Everything a reader can see, ids apart. */
export async function describeStore(storage: Storage): Promise<object> {
  const heads = await collect(storage.logs.heads());
  const logs = heads.map(async ({ origin, size, root, note, state, revision }) => {
    const entries = await collect(storage.logs.read(origin, { from: 0, to: size }));
    const hashes = await collect(storage.logs.readLeafHashes(origin, { from: 0, to: size }));
    return {
      origin,
      size,
      root: Buffer.from(root).toString('hex'),
      note: text(note),
      state: text(state),
      revision,
      entries: digest(entries.map(({ bytes }) => bytes)),
      hashes: digest(hashes.map(({ bytes }) => bytes)),
      node: Buffer.from(await storage.logs.nodes(origin).node(1, 0)).toString('hex'),
    };
  });
  const key = { space: 'snapshot', name: ORIGIN, version: 300 } as const;
  return {
    logs: await Promise.all(logs),
    prepared: (await storage.prepared.list()).items.map(({ body, segments }) => [
      text(body),
      segments.length,
    ]),
    roots: (await storage.documents.versions('root', 'police.example')).items.map(({ version, bytes }) => [
      version,
      text(bytes),
    ]),
    freshness: text((await storage.documents.get('freshness', ORIGIN))?.bytes),
    answer: text((await storage.documents.get('idempotency', 'digest'))?.bytes),
    reports: (await storage.telemetry.arrivals(0, 10)).map(({ bytes, ...rest }) => ({
      ...rest,
      bytes: text(bytes),
    })),
    receipt: text((await storage.telemetry.receipt(MEMBER, '2026-11-24', 1, 'server'))?.bytes),
    state: text((await storage.syncStates.get(MEMBER, ORIGIN))?.bytes),
    spent: await storage.budgets.spent(MEMBER, 'lookup', 3),
    snapshot: [text((await storage.parts.index(key))?.body), text(await storage.parts.part(key, 0))],
  };
}
