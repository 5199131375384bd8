import { HASH_TYPES, HashfedError, parseOrigin } from '../../../sdk/core/index.js';
import { BatchBuilder, pooledRandom } from '../batch/index.js';
import { type OnEntries, pullReplica, type Workstation } from '../workstation/index.js';
import { generationAfter } from './next-root.js';

export interface Restated {
  readonly origin: string;
  /** The generation that the batch is for. */
  readonly next: string;
  /** Of the list that was read; what `succeeds` must name. */
  readonly size: number;
  readonly records: number;
}

/**
 * Writes all live records of a list as a batch for its next generation: same hashes, items and assessments, new blinds.
 * MUST be done before the generation is closed; the server serves it no more afterwards. Throws as `pullReplica`, and
 * USAGE for an empty list.
 */
export async function restate(
  station: Workstation,
  origin: string,
  file: string,
  onEntries?: OnEntries,
): Promise<Restated> {
  const parsed = parseOrigin(origin);
  if (parsed.type === 'events')
    throw new HashfedError('USAGE', 'an event log has no set to restate', { origin, field: 'origin' });
  const next = generationAfter(parsed);
  const { state, checkpoint } = await pullReplica(station, origin, [], onEntries);
  const random = pooledRandom(station.random);
  const builder = await BatchBuilder.create(file, station.random);
  const hashType = HASH_TYPES[parsed.type].number;
  try {
    for (const { hash, itemId, scheme, code, verifications, meta } of state.records()) {
      const blind = random.bytes(16);
      const record = { hashType, hash, itemId, scheme, code, verifications, meta, blind };
      await builder.put(next, { kind: 'add', timeMs: 0, readd: false, ...record });
    }
    await builder.finish({ createdMs: station.clock.nowMs(), source: `restated ${origin}`, refusedRows: 0 });
  } catch (error) {
    await builder.abort();
    throw error;
  }
  return { origin, next, size: checkpoint?.size ?? 0, records: state.count };
}
