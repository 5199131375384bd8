import type {
  AddCheckpointRequest,
  AddCheckpointResponse,
  ListEquivocationsRequest,
  ListEquivocationsResponse,
  ReportEquivocationRequest,
  ReportEquivocationResponse,
} from '../../proto/gen/hashfed/v1/federation.js';
import { FederationServiceService } from '../../proto/gen/hashfed/v1/federation_service.js';
import { HashfedError, malformed, parseOrigin } from '../../sdk/core/index.js';
import type { Equivocations, Witness } from '../federation/index.js';
import { type BoundService, bind, type CallContext } from '../shell/index.js';
import { readSize } from './fields.js';

const DEFAULT_PAGE = 10;
const MAX_PAGE = 100;

/** FederationService: evidence of forks on every server; cosigning where the server is a witness. */
export function federationService(equivocations: Equivocations, witness: Witness | undefined): BoundService {
  return bind(FederationServiceService, {
    addCheckpoint: (request, context) => addCheckpoint(witness, request, context),
    reportEquivocation: (request, context) => report(equivocations, request, context),
    listEquivocations: async (request, context) => page(equivocations, request, context),
  });
}

async function addCheckpoint(
  witness: Witness | undefined,
  { oldSize, note, consistency }: AddCheckpointRequest,
  { caller }: CallContext,
): Promise<AddCheckpointResponse> {
  if (witness === undefined) throw new HashfedError('UNIMPLEMENTED', 'this server is no witness');
  const request = { oldSize: readSize(oldSize, 'old_size'), note, consistency };
  const lines = await witness.add(request, (origin) => caller.requireReadable(parseOrigin(origin).text));
  return { signatureLines: new Uint8Array(Buffer.from(lines)) };
}

async function report(
  equivocations: Equivocations,
  { equivocation }: ReportEquivocationRequest,
  { caller }: CallContext,
): Promise<ReportEquivocationResponse> {
  if (equivocation === undefined) malformed('equivocation', 'is missing');
  return { name: await equivocations.report(equivocation, `members/${caller.member}`) };
}

/** The page token is the id of the last piece; pieces are never taken away. */
function page(
  equivocations: Equivocations,
  { origin, pageSize, pageToken }: ListEquivocationsRequest,
  { caller }: CallContext,
): ListEquivocationsResponse {
  if (pageSize > MAX_PAGE) malformed('page_size', `is over ${MAX_PAGE}`);
  if (pageToken !== '' && !/^[0-9a-f]{64}$/.test(pageToken))
    malformed('page_token', 'is none of this server');
  if (origin !== '') caller.requireReadable(parseOrigin(origin).text);
  const all = equivocations.list(origin, (one) => caller.mayRead(one));
  const from = pageToken === '' ? 0 : all.findIndex(({ id }) => id === pageToken) + 1;
  const part = all.slice(from, from + (pageSize === 0 ? DEFAULT_PAGE : pageSize));
  const more = from + part.length < all.length;
  return {
    equivocations: part.map(({ evidence }) => evidence),
    nextPageToken: more ? (part.at(-1)?.id ?? '') : '',
  };
}
