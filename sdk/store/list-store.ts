import { HashfedError, MAX_DELTA_ENTRIES } from '../core/index.js';
import { BodyReader, BodyWriter, damaged } from './body.js';
import { encodeDelta, type HeadFile } from './list-codec.js';
import { listDirectory } from './list-paths.js';
import { ListRebuild } from './list-rebuild.js';
import { OpenList } from './loaded-list.js';
import { readHeadFile, type StoreParts } from './parts.js';
import { appendRecord, LOG_HEADER_BYTES } from './record-log.js';
import { openSalvage } from './salvage.js';
import { getSealed, putSealed, SealedKind } from './sealed-file.js';
import { openStaging } from './staging.js';
import type {
  DeltaCommit,
  ListStore,
  LoadedList,
  Rebuild,
  RebuildOptions,
  Salvage,
  StagedBundles,
} from './types.js';

/** How often a reader starts over when a writer swapped the base under it. */
const READ_ATTEMPTS = 5;

/** What the writer knows of the newest commit, so that a commit reads nothing back. */
interface Position {
  readonly file: HeadFile;
  readonly sequence: number;
  readonly logEnd: number;
}

export class DiskList implements ListStore {
  readonly origin: string;
  readonly #parts: StoreParts;
  readonly #directory: string;
  #position: Position | undefined;
  #rebuilding = false;

  constructor(parts: StoreParts, origin: string) {
    this.origin = origin;
    this.#parts = parts;
    this.#directory = listDirectory(parts.root, origin);
  }

  async load(): Promise<LoadedList | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#loadOnce();
      } catch (cause) {
        const moved = cause instanceof HashfedError && cause.code === 'NOT_FOUND';
        if (!moved) throw cause;
        if (attempt === READ_ATTEMPTS)
          throw damaged(this.origin, 'a file that its head names is gone', cause);
      }
    }
  }

  salvage(): Promise<Salvage> {
    return openSalvage(this.#parts, this.origin);
  }

  async commitDelta(delta: DeltaCommit): Promise<void> {
    const entries = delta.bundles.reduce((sum, bundle) => sum + bundle.count, 0);
    if (entries > MAX_DELTA_ENTRIES) throw new HashfedError('USAGE', 'a delta of this size needs a rebuild');
    const body = encodeDelta(delta);
    await this.#parts.gate.run(() => this.#append(body));
  }

  async putStatements(freshness: Uint8Array, liveness: Uint8Array): Promise<void> {
    await this.#parts.gate.run(async () => {
      const { sequence } = await this.#current();
      const body = new BodyWriter().u64(sequence).bytes(freshness).bytes(liveness).finish();
      await putSealed(this.#parts.sealing, this.#place('statements'), body);
    });
  }

  async beginRebuild(options: RebuildOptions): Promise<Rebuild> {
    this.#parts.gate.check();
    if (this.#rebuilding) throw new HashfedError('USAGE', 'the list is being rebuilt already');
    this.#rebuilding = true;
    const done = () => {
      this.#rebuilding = false;
      this.#position = undefined;
    };
    try {
      return await ListRebuild.begin(this.#parts, this.#directory, this.origin, options, done);
    } catch (cause) {
      done();
      throw cause;
    }
  }

  staging(): Promise<StagedBundles> {
    return openStaging(this.#parts, this.#directory);
  }

  async scrub(): Promise<void> {
    const list = await this.load();
    if (list === undefined) return;
    try {
      for await (const _ of list.buckets());
      for await (const _ of list.leafHashes());
      for await (const _ of list.deltas());
      await list.keys();
    } finally {
      await list.close();
    }
  }

  async drop(): Promise<void> {
    await this.#parts.gate.run(async () => {
      this.#position = undefined;
      await this.#parts.head.setList(this.origin, 0);
      await this.#parts.sealing.disk.remove(this.#directory);
      await this.#parts.sealing.disk.syncDirectory(`${this.#parts.root}/lists`);
    });
  }

  /** The watermark is read first: a writer beside us can then only make the list newer than it. */
  async #loadOnce(): Promise<OpenList | undefined> {
    const { sealing, gate, head } = this.#parts;
    if (gate.readOnly) await head.refresh();
    const known = head.listSequence(this.origin);
    const file = await readHeadFile(this.#parts, this.origin);
    if (file === undefined) {
      if (known > 0) throw damaged(this.origin, 'its head is gone');
      return undefined;
    }
    const list = await OpenList.open(sealing, this.#directory, file);
    if (list.sequence < known) {
      await list.close();
      throw damaged(this.origin, 'it is older than what was committed: it was rolled back or cut');
    }
    return await this.#withStatements(list);
  }

  async #withStatements(list: OpenList): Promise<OpenList> {
    const body = await getSealed(this.#parts.sealing, this.#place('statements')).catch(ignoreDamage);
    if (body === undefined) return list;
    const reader = new BodyReader(body, 'statements');
    const sequence = reader.u64();
    const [freshness, liveness] = [reader.bytes().slice(), reader.bytes().slice()];
    reader.end();
    return sequence < list.sequence ? list : list.withStatements(freshness, liveness);
  }

  async #append(body: Uint8Array): Promise<void> {
    const { sealing, head } = this.#parts;
    const { file, sequence, logEnd } = await this.#current();
    this.#position = undefined;
    const path = `${this.#directory}/${file.directory}/deltas.log`;
    const log = { path, fileId: file.logId, at: logEnd };
    const end = await appendRecord(sealing, log, sequence + 1, body);
    await head.setList(this.origin, sequence + 1);
    this.#position = { file, sequence: sequence + 1, logEnd: end };
  }

  /** From memory, or by reading the list as opening does. */
  async #current(): Promise<Position> {
    if (this.#position !== undefined) return this.#position;
    const list = await this.load();
    const file = await readHeadFile(this.#parts, this.origin);
    if (list === undefined || file === undefined) {
      throw new HashfedError('USAGE', 'the list has no base yet: begin with a rebuild');
    }
    await list.close();
    this.#position = { file, sequence: list.sequence, logEnd: list.pending.bytes + LOG_HEADER_BYTES };
    return this.#position;
  }

  #place(name: 'statements') {
    const context = `${this.origin}\n${name}`;
    return { directory: this.#directory, name, kind: SealedKind.statements, context };
  }
}

/** Damaged statements are no statements: those of the commit are older, and show as STALE until new ones come. */
function ignoreDamage(cause: unknown): undefined {
  if (!(cause instanceof HashfedError) || cause.code !== 'STORAGE_FAILED') throw cause;
}
