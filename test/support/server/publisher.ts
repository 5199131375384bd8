import type {
  CommitBatchResponse,
  GetPublishStateResponse,
  PreparedBatch,
  UploadEntriesResponse,
} from '../../../proto/gen/hashfed/v1/publish.js';
import { PublishServiceService } from '../../../proto/gen/hashfed/v1/publish_service.js';
import {
  ALG_COSIGNATURE,
  ALG_ED25519,
  CompactRange,
  concat,
  encodeBundle,
  encodeLeaf,
  formatCheckpoint,
  formatNote,
  HASH_TYPES,
  type Leaf,
  ListState,
  parseOrigin,
  signNote,
} from '../../../sdk/core/index.js';
import { callUnary, type RpcChannel, sendStream } from '../../../sdk/rpc/index.js';
import { random, suite, type TestFederation } from './federation.js';

const P = PublishServiceService;
const DEADLINE = { deadlineMs: 60_000, retries: 0 };
const CHUNK = 200 * 1024;

type AddOver = Partial<Extract<Leaf, { kind: 'add' }>>;

/** A range as the publisher's workstation holds it before anybody signs. */
export interface Draft {
  readonly origin: string;
  readonly from: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly bundle: Uint8Array;
  /** Makes the range the publisher's own state, as a receipt does. */
  settle(): void;
}

/** A publisher with its own replica of one list, its keys, and a connection. */
export class TestPublisher {
  readonly origin: string;
  readonly channel: RpcChannel;
  readonly #keys: { list: NoteSigner; approve: NoteSigner };
  #state: ListState;
  #tree: CompactRange;

  private constructor(origin: string, channel: RpcChannel, keys: { list: NoteSigner; approve: NoteSigner }) {
    this.origin = origin;
    this.channel = channel;
    this.#keys = keys;
    this.#state = ListState.empty(parseOrigin(origin), suite.sha256);
    this.#tree = CompactRange.empty(suite.sha256);
  }

  static async open(federation: TestFederation, member: string, origin: string): Promise<TestPublisher> {
    const [list, approve] = [await federation.key(member, 'list'), await federation.key(member, 'approve')];
    return new TestPublisher(origin, await federation.as(member), {
      list: { key: { name: origin, algorithm: ALG_ED25519, publicKey: list.publicKey }, seed: list.seed },
      approve: {
        key: { name: approve.name, algorithm: ALG_COSIGNATURE, publicKey: approve.publicKey },
        seed: approve.seed,
      },
    });
  }

  /** The same publisher over another connection, after a restart of the server. */
  async reconnect(federation: TestFederation, member: string): Promise<TestPublisher> {
    const again = new TestPublisher(this.origin, await federation.as(member), this.#keys);
    again.#state = this.#state;
    again.#tree = this.#tree;
    return again;
  }

  get size(): number {
    return this.#state.size;
  }

  get setCount(): number {
    return this.#state.count;
  }

  add(hash: Uint8Array, over: AddOver = {}): Leaf {
    const { type } = parseOrigin(this.origin);
    const hashType = type === 'events' ? 3 : HASH_TYPES[type].number;
    const itemId = random.bytes(16);
    const fixed = {
      kind: 'add',
      timeMs: Date.now(),
      hashType,
      scheme: 1,
      code: 1,
      verifications: 1,
    } as const;
    return { ...fixed, itemId, blind: random.bytes(16), hash, meta: new Uint8Array(), readd: false, ...over };
  }

  adds(count: number): Leaf[] {
    const { type } = parseOrigin(this.origin);
    const bytes = type === 'events' ? 32 : HASH_TYPES[type].bytes;
    return Array.from({ length: count }, () => this.add(random.bytes(bytes)));
  }

  withdraw(targetIndex: number, reason = 1): Leaf {
    return { kind: 'withdraw', timeMs: Date.now(), targetIndex, reason, meta: new Uint8Array() };
  }

  /** Leaves and the SEAL that closes them, above `after` where that is given. */
  draft(
    leaves: readonly (Leaf | Uint8Array)[],
    options: { sealMs?: number; seal?: (leaf: Leaf) => Leaf } = {},
  ): Draft {
    const body = leaves.map((leaf) => (leaf instanceof Uint8Array ? leaf : encodeLeaf(leaf)));
    return this.draftPacked(encodeBundle(body), body.length, options);
  }

  /** As `draft`, of leaves that are packed already. */
  draftPacked(
    packed: Uint8Array,
    count: number,
    options: { sealMs?: number; seal?: (leaf: Leaf) => Leaf } = {},
  ): Draft {
    const staging = this.#state.stage();
    const from = this.#state.size;
    if (count > 0) staging.append(packed, from);
    const planned = staging.planSeal(options.sealMs ?? Date.now(), random.bytes(16));
    const seal = encodeLeaf(options.seal?.(planned) ?? planned);
    const closing = encodeBundle([seal]);
    const bundle = concat(packed, closing);
    staging.append(closing, from + count);
    const tree = CompactRange.from(suite.sha256, this.#tree.size, this.#tree.hashes);
    tree.append(suite.sha256.hashLeaves(bundle, count + 1));
    const settle = (): void => {
      staging.settle();
      this.#tree = tree;
    };
    return { origin: this.origin, from, size: tree.size, root: tree.root(), bundle, settle };
  }

  note(
    { origin, size, root }: Pick<Draft, 'origin' | 'size' | 'root'>,
    keys: 'one' | 'two' | 'approve',
  ): Uint8Array {
    const body = formatCheckpoint({ origin, size, root });
    const { list, approve } = this.#keys;
    const lines = [];
    if (keys !== 'approve') lines.push(signNote(suite, body, list.key, list.seed));
    if (keys !== 'one')
      lines.push(signNote(suite, body, approve.key, approve.seed, Math.floor(Date.now() / 1000)));
    return formatNote(body, lines);
  }

  state(): Promise<GetPublishStateResponse> {
    return callUnary(this.channel, P.getPublishState, { origin: this.origin }, DEADLINE);
  }

  upload({ bundle, from }: Pick<Draft, 'bundle' | 'from'>): Promise<UploadEntriesResponse> {
    return sendStream(this.channel, P.uploadEntries, pieces(this.origin, bundle, from), DEADLINE);
  }

  async prepare(draft: Draft, extend = ''): Promise<PreparedBatch> {
    const { upload } = await this.upload(draft);
    return prepareUploads(this.channel, [{ upload, extends: extend }]);
  }

  commit(batch: string, draft: Draft, keys: 'one' | 'two', partial = false): Promise<CommitBatchResponse> {
    const notes = [{ origin: draft.origin, note: this.note(draft, keys) }];
    return callUnary(this.channel, P.commitBatch, { batch, notes, partial }, DEADLINE);
  }

  async publish(leaves: readonly (Leaf | Uint8Array)[], keys: 'one' | 'two'): Promise<Draft> {
    const draft = this.draft(leaves);
    const batch = await this.prepare(draft);
    await this.commit(batch.name, draft, keys);
    draft.settle();
    return draft;
  }
}

interface NoteSigner {
  readonly key: Parameters<typeof signNote>[2];
  readonly seed: Uint8Array;
}

export async function prepareUploads(
  channel: RpcChannel,
  items: readonly { upload: string; extends: string }[],
): Promise<PreparedBatch> {
  const request = { requestId: random.bytes(16), items: [...items] };
  return (await callUnary(channel, P.prepareBatch, request, DEADLINE)).batch!;
}

/** An upload in pieces of whole leaves. */
export function* pieces(origin: string, bundle: Uint8Array, from: number) {
  const requestId = random.bytes(16);
  let first = from;
  for (let at = 0; at < bundle.length; ) {
    let end = at;
    let count = 0;
    while (end < bundle.length && end - at < CHUNK) {
      end += 2 + bundle[end]! * 256 + bundle[end + 1]!;
      count += 1;
    }
    const more = { count, bundle: bundle.subarray(at, end) };
    yield { origin: at === 0 ? origin : '', firstIndex: BigInt(first), requestId, ...more };
    first += count;
    at = end;
  }
}
