import {
  equalBytes,
  HashfedError,
  type MemberDirectory,
  nextDirectory,
  parseDsse,
  type Suite,
  startDirectory,
} from '../../sdk/core/index.js';
import type { DocumentStore } from '../storage/index.js';
import { DirectoryHolder } from './directory.js';
import { directoryView } from './view.js';

const KIND = 'directory';

export interface KeeperOptions {
  readonly suite: Suite;
  readonly documents: DocumentStore;
  readonly federation: string;
  /** SHA-256 of the body of version 1, 32 bytes, from the configuration. */
  readonly pinned: Uint8Array;
  /** The envelope of version 1, asked for only where the store holds none yet. */
  readonly first: () => Promise<Uint8Array>;
}

/** The member directory of a server: every version as it was signed, and the newest in force. */
export class DirectoryKeeper {
  readonly holder: DirectoryHolder;
  readonly #options: KeeperOptions;
  #current: MemberDirectory;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(options: KeeperOptions, current: MemberDirectory) {
    this.#options = options;
    this.#current = current;
    this.holder = new DirectoryHolder(directoryView(current));
  }

  /**
   * Verifies the stored chain from the pinned version 1 to its end, storing version 1 on the first start.
   * Throws what the chain's checks throw, and USAGE where the directory is of another federation.
   */
  static async open(options: KeeperOptions): Promise<DirectoryKeeper> {
    const { suite, documents, federation, pinned } = options;
    const stored = (await documents.get(KIND, federation, 1))?.bytes;
    const envelope = stored ?? (await options.first());
    const first = startDirectory(suite, envelope, pinned);
    if (first.federation !== federation)
      throw new HashfedError('USAGE', 'directory: is of another federation', { field: 'directory' });
    if (stored === undefined)
      await documents.put({ kind: KIND, name: federation, version: 1, bytes: envelope });
    const keeper = new DirectoryKeeper(options, first);
    await keeper.refresh();
    return keeper;
  }

  /** The newest version, verified. */
  get current(): MemberDirectory {
    return this.#current;
  }

  /** A version's envelope, verbatim; undefined beyond the newest. */
  async envelope(version: number): Promise<Uint8Array | undefined> {
    if (version > this.#current.version) return undefined;
    return (await this.#options.documents.get(KIND, this.#options.federation, version))?.bytes;
  }

  /**
   * Takes the next version: stored, then in force. The version held already is taken again. Throws what the
   * chain's checks throw, and OLD_SIZE_MISMATCH where another server of the same store was first.
   */
  put(envelope: Uint8Array): Promise<number> {
    return this.#alone(async () => {
      const { suite, documents, federation } = this.#options;
      if (equalBytes(parseDsse(KIND, envelope).body, this.#current.body)) return this.#current.version;
      const next = nextDirectory(suite, this.#current, envelope);
      if (!(await documents.put({ kind: KIND, name: federation, version: next.version, bytes: envelope })))
        throw new HashfedError('OLD_SIZE_MISMATCH', 'directory: another version was put first');
      this.#use(next);
      return next.version;
    });
  }

  /** Takes what other servers of the same store have put. */
  refresh(): Promise<void> {
    return this.#alone(async () => {
      const { suite, documents, federation } = this.#options;
      for (;;) {
        const found = await documents.get(KIND, federation, this.#current.version + 1);
        if (found === undefined) return;
        this.#use(nextDirectory(suite, this.#current, found.bytes));
      }
    });
  }

  #use(next: MemberDirectory): void {
    this.#current = next;
    this.holder.replace(directoryView(next));
  }

  /** One change at a time: each is checked against the version that the one before left. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#busy.then(work);
    this.#busy = done.catch(() => {});
    return done;
  }
}
