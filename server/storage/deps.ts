/** What the shared repositories stand on. */
import { type Clock, HashfedError, type Random, type Sha256 } from '../../sdk/core/index.js';
import type { Kernel, KeyRange, Row } from './kernel.js';
import { newId } from './keys.js';
import { DELETE_CHUNK, MAX_ATTEMPTS } from './limits.js';

export interface StorageDeps {
  readonly kernel: Kernel;
  readonly sha: Sha256;
  readonly clock: Clock;
  readonly random: Random;
}

export function freshId({ clock, random }: StorageDeps): string {
  return newId(clock.nowMs(), random.bytes(10));
}

/** The last row of a range. */
export async function lastRow(kernel: Kernel, range: KeyRange): Promise<Row | undefined> {
  for await (const row of kernel.scan({ ...range, reverse: true, limit: 1 })) return row;
  return undefined;
}

/** Deletes a range in chunks; each chunk is atomic, the whole is not. */
export async function deleteRange(kernel: Kernel, range: KeyRange, signal?: AbortSignal): Promise<void> {
  let deletes: Uint8Array[] = [];
  const scan = { ...range, keysOnly: true, ...(signal && { signal }) };
  for await (const { key } of kernel.scan(scan)) {
    deletes.push(key);
    if (deletes.length < DELETE_CHUNK) continue;
    await kernel.transact({ deletes });
    deletes = [];
  }
  if (deletes.length > 0) await kernel.transact({ deletes });
}

/** Repeats a compare-and-swap until it answers; `OVERLOADED` when others keep winning. */
export async function retry<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < MAX_ATTEMPTS; i += 1) {
    const done = await attempt();
    if (done !== undefined) return done;
  }
  throw new HashfedError('OVERLOADED', 'too many concurrent changes of one value', { retryAfterMs: 1_000 });
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
