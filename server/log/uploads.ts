import type { UploadEntriesRequest, UploadEntriesResponse } from '../../proto/gen/hashfed/v1/publish.js';
import { checkBundle, HashfedError, MAX_BUNDLE_BYTES, malformed, parseOrigin } from '../../sdk/core/index.js';
import type { Segment, Stager } from '../storage/index.js';
import type { LogDeps } from './deps.js';
import type { Engine } from './engine.js';
import { openBatches } from './open-batches.js';
import type { PublishRights } from './rights.js';

const PREFIX = 'uploads/';
/** Leaves of the smallest size in one bundle of 256 KiB. */
const MAX_BUNDLE_LEAVES = 131_072;
/** Entries of one upload: several times the largest list known; the disk must not be filled by one call. */
const MAX_UPLOAD_ENTRIES = 50_000_000;

/**
 * Receives an upload as it streams in. Durable when it resolves, visible to nobody; a stream that breaks leaves
 * nothing behind. The client compares the digest of what arrived, so a stream cut at its end is noticed.
 */
export async function receiveUpload(
  engine: Engine,
  caller: PublishRights,
  messages: AsyncIterable<UploadEntriesRequest>,
): Promise<UploadEntriesResponse> {
  let stager: Stager | undefined;
  let origin = '';
  let from = 0;
  let next = 0;
  try {
    for await (const message of messages) {
      if (stager === undefined) {
        origin = parseOrigin(message.origin).text;
        caller.requirePublisherOf(origin);
        engine.roots.settings(origin);
        if (message.requestId.length !== 16) malformed('request_id', 'is required: 16 random bytes');
        from = Number(message.firstIndex);
        next = from;
        stager = await stageAt(engine, origin, next);
      }
      next = await take(stager, message, origin, next);
      if (next - from > MAX_UPLOAD_ENTRIES)
        malformed('first_index', `an upload holds at most ${MAX_UPLOAD_ENTRIES} entries`);
    }
    if (stager === undefined) return malformed('origin', 'the upload is empty');
    const segment = await stager.finish();
    return {
      upload: `${PREFIX}${segment.id}`,
      from: BigInt(segment.from),
      to: BigInt(segment.to),
      entriesSha256: segment.digest,
    };
  } catch (error) {
    await stager?.abort().catch(() => undefined);
    throw error;
  }
}

/** Where a segment begins: at the head, or at the end of the newest prepared one that ends there. */
async function stageAt(deps: LogDeps, origin: string, from: number): Promise<Stager> {
  const head = await deps.storage.logs.head(origin);
  if ((head?.size ?? 0) === from) return deps.storage.logs.stage(origin);
  for (const batch of (await openBatches(deps)).reverse())
    for (const id of batch.segments) {
      const segment = await deps.storage.logs.segment(id);
      if (segment?.origin === origin && segment.to === from) return deps.storage.logs.stage(origin, id);
    }
  throw new HashfedError(
    'OLD_SIZE_MISMATCH',
    'the upload starts neither at the committed size nor at a prepared one',
    { origin, field: 'first_index' },
  );
}

async function take(
  stager: Stager,
  message: UploadEntriesRequest,
  origin: string,
  next: number,
): Promise<number> {
  const { bundle } = message;
  if (message.origin !== '' && message.origin !== origin) malformed('origin', 'changes within the upload');
  if (Number(message.firstIndex) !== next) malformed('first_index', 'leaves a gap');
  if (bundle.length > MAX_BUNDLE_BYTES) malformed('bundle', `is over ${MAX_BUNDLE_BYTES} bytes`);
  const count = checkBundle(bundle, MAX_BUNDLE_LEAVES);
  if (count !== message.count || count === 0) malformed('count', 'is not the number of leaves in the bundle');
  refuseErased(bundle);
  await stager.append(bundle);
  return next + count;
}

function refuseErased(bundle: Uint8Array): void {
  for (let at = 0; at < bundle.length; ) {
    const length = bundle[at]! * 256 + bundle[at + 1]!;
    if (length === 0) malformed('bundle', 'holds an erased leaf');
    at += 2 + length;
  }
}

/** The segment of an upload name. Throws NOT_FOUND. */
export async function findUpload(deps: LogDeps, name: string): Promise<Segment> {
  const id = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
  const segment = /^[0-9a-f]{32}$/.test(id) ? await deps.storage.logs.segment(id) : undefined;
  if (segment === undefined)
    throw new HashfedError('NOT_FOUND', 'no such upload; it may have expired', { field: 'upload' });
  return segment;
}
