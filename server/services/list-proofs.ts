import type { GetProofRequest, GetProofResponse } from '../../proto/gen/hashfed/v1/list.js';
import {
  concat,
  foldPlan,
  HashfedError,
  MAX_PROOF_INDEXES,
  malformed,
  parseOrigin,
  planConsistency,
  planInclusion,
} from '../../sdk/core/index.js';
import type { Engine } from '../log/index.js';
import type { CallContext } from '../shell/index.js';
import { readSize } from './fields.js';

/** Inclusion and consistency proofs from stored tree nodes, O(log n) reads each. */
export async function prove(
  engine: Engine,
  request: GetProofRequest,
  { caller }: CallContext,
): Promise<GetProofResponse> {
  const { origin } = request;
  caller.requireReadable(parseOrigin(origin).text);
  const { head } = engine.lists.committed(origin);
  const size = readSize(request.size, 'size');
  const from = readSize(request.fromSize, 'from_size');
  if (size > head.size)
    throw new HashfedError('SIZE_AHEAD', 'the list is not that long', { origin, field: 'size' });
  if (size === 0 || from > size) malformed('from_size', 'is not at most size');
  if (request.indexes.length > MAX_PROOF_INDEXES) malformed('indexes', `are more than ${MAX_PROOF_INDEXES}`);
  const nodes = engine.storage.logs.nodes(origin);
  const inclusion = [];
  for (const wanted of request.indexes) {
    const index = readSize(wanted, 'indexes');
    if (index >= size) malformed('indexes', 'are not below size');
    const plan = planInclusion(index, size);
    const path = foldPlan(engine.suite.sha256, plan, await nodes.load(plan));
    inclusion.push({ index: wanted, leafHash: await nodes.node(0, index), path: concat(...path) });
  }
  return {
    inclusion,
    consistency: from === 0 ? new Uint8Array() : await consistency(engine, origin, from, size),
  };
}

async function consistency(engine: Engine, origin: string, from: number, size: number): Promise<Uint8Array> {
  const plan = planConsistency(from, size);
  const read = await engine.storage.logs.nodes(origin).load(plan);
  return concat(...foldPlan(engine.suite.sha256, plan, read));
}
