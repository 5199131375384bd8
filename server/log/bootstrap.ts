import { join } from 'node:path';
import { HashfedError, MAX_NOTE_BYTES, parseCheckpoint, parseNote } from '../../sdk/core/index.js';
import type { Directory } from '../access/index.js';
import type { Disk } from '../storage/index.js';
import { commitBatch } from './commit.js';
import type { Engine } from './engine.js';
import { prepareBatch } from './prepare.js';
import type { PublishRights } from './rights.js';
import { MAX_ROOT_ENVELOPE_BYTES } from './roots.js';
import { receiveUpload } from './uploads.js';

/** Bytes of one list's entries: the lists that a federation starts with are small. */
const MAX_ENTRIES_BYTES = 256 * 1024;

/**
 * Takes the signed documents of a folder that the store does not hold yet: `roots/{member}.dsse`, and
 * `lists/{name}.entries` (packed leaves) beside `{name}.note`. They go through the checks that members' calls go
 * through, so the folder needs no trust. What is held already is left alone; cut off, it goes on at the next start.
 */
export async function loadBootstrap(
  engine: Engine,
  directory: Directory,
  disk: Disk,
  folder: string,
): Promise<void> {
  for (const member of await namesIn(disk, join(folder, 'roots'), '.dsse')) {
    if (engine.roots.newest(member) !== undefined) continue;
    const envelope = await required(disk, join(folder, 'roots', `${member}.dsse`), MAX_ROOT_ENVELOPE_BYTES);
    const rights = rightsOf(directory, member);
    await engine.roots.putAs(member, envelope, (origin) => rights.requirePublisherOf(origin));
    engine.log.info('bootstrap.root', { member });
  }
  for (const name of await namesIn(disk, join(folder, 'lists'), '.note'))
    await loadList(engine, directory, disk, join(folder, 'lists', name));
}

async function loadList(engine: Engine, directory: Directory, disk: Disk, path: string): Promise<void> {
  const note = await required(disk, `${path}.note`, MAX_NOTE_BYTES);
  const { origin, size } = parseCheckpoint(parseNote(note).body);
  if (engine.lists.get(origin)?.head !== undefined) return;
  const bundle = await required(disk, `${path}.entries`, MAX_ENTRIES_BYTES);
  const rights = rightsOf(directory, engine.roots.of(origin).publisher.slice('members/'.length));
  const requestId = engine.random.bytes(16);
  const message = { origin, firstIndex: 0n, count: size, bundle, requestId };
  const { upload } = await receiveUpload(engine, rights, only(message));
  const batch = await prepareBatch(engine, rights, { requestId, items: [{ upload, extends: '' }] });
  await commitBatch(engine, rights, { batch: batch.name, notes: [{ origin, note }], partial: false });
  engine.log.info('bootstrap.list', { origin, size });
}

/** What the directory lets a member publish. */
function rightsOf(directory: Directory, member: string): PublishRights {
  const record = directory.member(member);
  return {
    requirePublisherOf: (origin) => {
      const [domain = ''] = origin.split('/', 1);
      if (!record?.roles.has('publisher') || !record.domains.has(domain))
        throw new HashfedError(
          'NOT_ENTITLED',
          'bootstrap: the directory does not give that domain to the member',
          {
            field: 'bootstrap',
            origin,
          },
        );
    },
  };
}

async function namesIn(disk: Disk, folder: string, ending: string): Promise<string[]> {
  const names = await disk.list(folder);
  return names
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length))
    .sort();
}

async function required(disk: Disk, path: string, maxBytes: number): Promise<Uint8Array> {
  const bytes = await disk.readFile(path, maxBytes);
  if (bytes === undefined)
    throw new HashfedError('USAGE', 'bootstrap: a file of a pair is missing', { field: 'bootstrap' });
  return bytes;
}

async function* only<T>(value: T): AsyncGenerator<T> {
  yield value;
}
