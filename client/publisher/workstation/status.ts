import type { SigningRange, SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import { callUnary } from '../../../sdk/rpc/index.js';
import { PublishServiceService } from '../../../sdk/rpc/services/publish.js';
import { CALL_MS } from './limits.js';
import type { Workstation } from './open.js';

/**
 * `waiting`: prepared, not committed. `committed`: the list is at least that long, so this batch or one in its place
 * was published. `gone`: the server no longer holds it; prepare it again.
 */
export interface BatchState {
  readonly origin: string;
  /** Size that the batch would make. */
  readonly size: number;
  readonly state: 'waiting' | 'committed' | 'gone';
}

/** Where a prepared batch stands, list by list, as the server says. */
export async function batchStatus(station: Workstation, request: SigningRequest): Promise<BatchState[]> {
  const states: BatchState[] = [];
  for (const range of request.ranges) {
    const state = await stateOf(station, request.batch, range);
    states.push({ origin: range.origin, size: Number(range.to), state });
  }
  return states;
}

async function stateOf(
  { channel, signal }: Workstation,
  batch: string,
  { origin, to }: SigningRange,
): Promise<BatchState['state']> {
  const limits = { deadlineMs: CALL_MS, signal };
  const answer = await callUnary(channel, PublishServiceService.getPublishState, { origin }, limits);
  if (answer.size >= to) return 'committed';
  return answer.prepared.some(({ name }) => name === batch) ? 'waiting' : 'gone';
}
