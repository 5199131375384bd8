/** Sets of parts: uploads while they arrive, snapshots once complete. The index closes a set. */
import { HashfedError, malformed } from '../../sdk/core/index.js';
import { ValueReader, ValueWriter } from './codec.js';
import { deleteRange, type StorageDeps } from './deps.js';
import { damaged } from './failure.js';
import { type KeyPart, KeyReader, keyOf, rangeOf } from './keys.js';
import { MAX_BODY_PART_BYTES, MAX_VALUE_BYTES } from './limits.js';
import type { PartsIndex, PartsKey, PartsStore } from './types.js';

const SPACES = { upload: 1, snapshot: 2 } as const;
const place = ({ space, name, version }: PartsKey): KeyPart[] => [
  { u8: SPACES[space] },
  name,
  { u64: version },
];
const indexKey = (key: PartsKey): Uint8Array => keyOf('parts-index', ...place(key));
const partKey = (key: PartsKey, number: number): Uint8Array => keyOf('part', ...place(key), { u32: number });

function decodeIndex({ space, name, version }: PartsKey, value: Uint8Array): PartsIndex {
  const r = new ValueReader(value, 'parts-index');
  const index = { space, name, version, createdMs: r.u64(), count: r.u32(), body: r.blob() };
  r.end();
  return index;
}

function numberOf(key: Uint8Array): number {
  const reader = new KeyReader(key);
  reader.u8();
  reader.name();
  reader.u64();
  return reader.u32();
}

export class PartsRepository implements PartsStore {
  readonly #deps: StorageDeps;

  constructor(deps: StorageDeps) {
    this.#deps = deps;
  }

  async putPart(key: PartsKey, number: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length > MAX_VALUE_BYTES) malformed('part', 'is over 4 MiB');
    const done = await this.#deps.kernel.transact({
      checks: [{ key: indexKey(key), value: null }],
      puts: [{ key: partKey(key, number), value: bytes }],
    });
    if (!done) throw new HashfedError('USAGE', 'the set of parts is complete');
  }

  async complete(key: PartsKey, count: number, body: Uint8Array): Promise<PartsIndex> {
    if (body.length > MAX_BODY_PART_BYTES) malformed('body', 'is over 1 MiB');
    let expected = 0;
    for await (const row of this.#deps.kernel.scan({ ...rangeOf('part', ...place(key)), keysOnly: true })) {
      if (numberOf(row.key) !== expected) break;
      expected += 1;
    }
    if (expected !== count) throw new HashfedError('NOT_FOUND', 'a part is missing or left over');
    const createdMs = this.#deps.clock.nowMs();
    const value = new ValueWriter().u64(createdMs).u32(count).blob(body).finish();
    const done = await this.#deps.kernel.transact({
      checks: [{ key: indexKey(key), value: null }],
      puts: [{ key: indexKey(key), value }],
    });
    if (!done) throw new HashfedError('USAGE', 'the set of parts is complete');
    return { ...key, createdMs, count, body };
  }

  async index(key: PartsKey): Promise<PartsIndex | undefined> {
    const value = await this.#deps.kernel.get(indexKey(key));
    return value && decodeIndex(key, value);
  }

  async versions(space: PartsKey['space'], name: string): Promise<readonly PartsIndex[]> {
    const found: PartsIndex[] = [];
    for await (const { key, value } of this.#deps.kernel.scan(
      rangeOf('parts-index', { u8: SPACES[space] }, name),
    )) {
      const reader = new KeyReader(key);
      reader.u8();
      reader.name();
      found.push(decodeIndex({ space, name, version: reader.u64() }, value));
    }
    return found;
  }

  part(key: PartsKey, number: number): Promise<Uint8Array | undefined> {
    return this.#deps.kernel.get(partKey(key, number));
  }

  async *parts(
    key: PartsKey,
    from = 0,
    signal?: AbortSignal,
  ): AsyncGenerator<{ number: number; bytes: Uint8Array }> {
    const index = await this.index(key);
    const range = {
      from: partKey(key, from),
      to: rangeOf('part', ...place(key)).to,
      ...(signal && { signal }),
    };
    let expected = from;
    for await (const row of this.#deps.kernel.scan(range)) {
      const number = numberOf(row.key);
      if (index && number !== expected) damaged('part', 'is missing');
      yield { number, bytes: row.value };
      expected = number + 1;
    }
    if (index && expected < index.count) damaged('part', 'is missing');
  }

  async drop(key: PartsKey, options: { readonly purge?: boolean } = {}): Promise<void> {
    await this.#deps.kernel.transact({ deletes: [indexKey(key)] });
    const range = rangeOf('part', ...place(key));
    await deleteRange(this.#deps.kernel, range);
    if (options.purge) await this.#deps.kernel.purge(range);
  }
}
