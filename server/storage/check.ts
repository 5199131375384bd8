/** fsck as a library: replays what is stored and says what does not fit. Repairs nothing. */
import { CompactRange, emptyRoot, HashfedError } from '../../sdk/core/index.js';
import { type StorageDeps, sameBytes } from './deps.js';
import { checkAborted } from './failure.js';
import { countFrames } from './frames.js';
import { TILE_HASHES } from './limits.js';
import { type LogRepository, nodesAt, segmentBundles, TileBuilder } from './log/index.js';
import type { CheckOptions, CheckReport, Head } from './types.js';

type Problem = CheckReport['problems'][number];

export class Checker {
  readonly #deps: StorageDeps;
  readonly #logs: LogRepository;
  readonly #options: CheckOptions;
  readonly #problems: Problem[] = [];
  #leaves = 0;

  constructor(deps: StorageDeps, logs: LogRepository, options: CheckOptions) {
    this.#deps = deps;
    this.#logs = logs;
    this.#options = options;
  }

  async run(): Promise<CheckReport> {
    if (this.#options.full) {
      await this.#guard(undefined, async () => {
        const { problems } = await this.#deps.kernel.verify(this.#options.signal);
        for (const message of problems) this.#problems.push({ message });
      });
    }
    let origins = 0;
    await this.#guard(undefined, async () => {
      for await (const head of this.#logs.heads()) {
        origins += 1;
        await this.#guard(head.origin, () => this.#checkLog(head));
      }
    });
    return { ok: this.#problems.length === 0, problems: this.#problems, origins, leaves: this.#leaves };
  }

  async #checkLog(head: Head): Promise<void> {
    const { origin, size } = head;
    const root =
      size === 0
        ? emptyRoot(this.#deps.sha)
        : CompactRange.from(this.#deps.sha, size, head.compactRange).root();
    if (!sameBytes(root, head.root))
      this.#say(origin, 'the compact range of the head does not give its root');
    await this.#guard(origin, () => this.#checkEdges(head));
    await this.#guard(origin, () => this.#checkChain(head));
    if (this.#options.full) await this.#replay(head);
  }

  /** The compact range once more, from the tiles. */
  async #checkEdges({ origin, size, compactRange }: Head): Promise<void> {
    const nodes = this.#logs.nodes(origin);
    let at = 0;
    for (const hash of compactRange) {
      const level = Math.floor(Math.log2(size - at));
      if (!sameBytes(await nodes.node(level, at / 2 ** level), hash))
        this.#say(origin, 'an edge tile does not fit the head');
      at += 2 ** level;
    }
  }

  async #checkChain({ origin, size, root }: Head): Promise<void> {
    let last: Uint8Array | undefined;
    for await (const link of this.#logs.reader.links(origin, 0, size)) {
      const segment = (await this.#logs.reader.segment(link.segment))?.row;
      const fits = segment?.origin === origin && segment.from === link.from && segment.to === link.to;
      if (!fits) this.#say(origin, `the segment from ${link.from} on does not fit its link`);
      if (last && segment && !sameBytes(segment.fromRoot, last))
        this.#say(origin, `roots differ at ${link.from}`);
      last = segment?.root;
    }
    if (last && !sameBytes(last, root)) this.#say(origin, 'the last segment has another root than the head');
  }

  /** Every bundle, leaf hash, tile and the root of each segment, computed anew. */
  async #replay({ origin, size, root }: Head): Promise<void> {
    const { sha } = this.#deps;
    const range = CompactRange.empty(sha);
    let tiles: { level: number; index: number; hashes: Uint8Array }[] = [];
    const builder = new TileBuilder((level, index, hashes) => tiles.push({ level, index, hashes }));
    const compare = async (): Promise<void> => {
      for (const { level, index, hashes } of tiles)
        await this.#compareTile(origin, size, level, index, hashes);
      tiles = [];
    };
    for await (const link of this.#logs.reader.links(origin, 0, size)) {
      for await (const { count, bytes } of segmentBundles(this.#deps, link.segment, {
        ...link,
        signal: this.#options.signal,
      })) {
        checkAborted(this.#options.signal);
        if (countFrames(bytes) !== count)
          this.#say(origin, `a bundle near ${range.size} has another number of leaves`);
        range.append(sha.hashLeaves(bytes, count), builder.sink);
        await compare();
        this.#leaves += count;
        this.#options.onProgress?.(this.#leaves);
      }
      const segment = (await this.#logs.reader.segment(link.segment))?.row;
      if (segment && !sameBytes(segment.root, range.root()))
        this.#say(origin, `the root at ${link.to} is not that of its entries`);
    }
    builder.finish();
    await compare();
    if (range.size !== size || !sameBytes(range.root(), root))
      this.#say(origin, 'the entries do not give the root of the head');
  }

  async #compareTile(
    origin: string,
    size: number,
    level: number,
    index: number,
    hashes: Uint8Array,
  ): Promise<void> {
    if (index * TILE_HASHES >= nodesAt(level, size)) return;
    await this.#guard(origin, async () => {
      const stored = await this.#logs.reader.tile(origin, level, index);
      const length = Math.min(stored.length, hashes.length);
      if (!sameBytes(stored.subarray(0, length), hashes.subarray(0, length))) {
        this.#say(origin, `tile ${level}/${index} does not fit its entries`);
      }
    });
  }

  #say(origin: string | undefined, message: string): void {
    this.#problems.push(origin === undefined ? { message } : { origin, message });
  }

  /** Damage becomes a problem; a cancelled check is no result. */
  async #guard(origin: string | undefined, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof HashfedError) || error.code === 'CANCELLED') throw error;
      this.#say(origin, error.message);
    }
  }
}
