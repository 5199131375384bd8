import { readFile } from 'node:fs/promises';
import { ListServiceService } from '../../../proto/gen/hashfed/v1/list_service.js';
import { PublishServiceService } from '../../../proto/gen/hashfed/v1/publish_service.js';
import { ALG_ED25519, formatCheckpoint, formatNote, type Leaf, signNote } from '../../../sdk/core/index.js';
import { callUnary, openChannel, sendStream } from '../../../sdk/rpc/index.js';
import { bulkAdds } from '../server/bulk.js';
import { random, suite } from '../server/federation.js';
import { pieces, prepareUploads } from '../server/publisher.js';
import { type Outcome, ofCall } from './outcome.js';
import { type BadInputWorld, ORIGIN } from './world.js';

const P = PublishServiceService;
const DEADLINE = { deadlineMs: 20_000, retries: 0 };

/** Prepares a batch of these entries, closed by an honest seal. */
export const prepareBatch = ({ police }: BadInputWorld, ...leaves: (Leaf | Uint8Array)[]): Promise<Outcome> =>
  ofCall(police.prepare(police.draft(leaves)));

/** One message of an upload, of that many bytes. */
export function uploadMessage(world: BadInputWorld, bytes: number, origin = ORIGIN): Promise<Outcome> {
  const { channel, size } = world.police;
  const more = { requestId: random.bytes(16), count: 1, bundle: new Uint8Array(bytes) };
  const message = { origin, firstIndex: BigInt(size), ...more };
  return ofCall(sendStream(channel, P.uploadEntries, [message], DEADLINE));
}

/** The publisher's end goes away after two whole messages of many. */
export function brokenUpload({ police }: BadInputWorld): Promise<Outcome> {
  const count = 10_000;
  const draft = police.draftPacked(bulkAdds(count, Date.now()), count);
  const gone = new AbortController();
  const messages = function* () {
    let sent = 0;
    for (const piece of pieces(ORIGIN, draft.bundle, draft.from)) {
      if (sent++ === 2) gone.abort();
      yield piece;
    }
  };
  return ofCall(
    sendStream(police.channel, P.uploadEntries, messages(), { ...DEADLINE, signal: gone.signal }),
  );
}

/** An upload whose stream ends early, at a whole entry, as if all had been sent. */
export async function shortUpload({ police }: BadInputWorld): Promise<Outcome> {
  const draft = police.draft(police.adds(3));
  const sealBytes = 2 + 85;
  const [whole] = [...pieces(ORIGIN, draft.bundle, draft.from)];
  const cut = { ...whole!, count: 3, bundle: whole!.bundle.subarray(0, -sealBytes) };
  const { upload } = await sendStream(police.channel, P.uploadEntries, [cut], DEADLINE);
  return ofCall(prepareUploads(police.channel, [{ upload, extends: '' }]));
}

/** A batch whose note another publisher's sequencing key signed in this one's name. */
export async function commitByStranger({ police, federation }: BadInputWorld): Promise<Outcome> {
  const draft = police.draft(police.adds(2));
  const { name: batch } = await police.prepare(draft);
  const { publicKey, seed } = await federation.key('hotline', 'list');
  const body = formatCheckpoint(draft);
  const line = signNote(suite, body, { name: ORIGIN, algorithm: ALG_ED25519, publicKey }, seed);
  const notes = [{ origin: ORIGIN, note: formatNote(body, [line]) }];
  return ofCall(callUnary(police.channel, P.commitBatch, { batch, notes, partial: false }, DEADLINE));
}

/** More than one key may change, signed by the sequencing key alone. */
export async function commitByOneKey({ police }: BadInputWorld): Promise<Outcome> {
  const draft = police.draft(police.adds(200));
  const { name } = await police.prepare(draft);
  return ofCall(police.commit(name, draft, 'one'));
}

/** TLS that authenticates the server only. */
export async function withoutCertificate(world: BadInputWorld): Promise<Outcome> {
  const ca = await readFile(world.member('hoster-a', 'ca.pem'));
  using channel = openChannel({ address: world.address, tls: { ca }, serverName: 'localhost', random });
  return await ofCall(callUnary(channel, ListServiceService.getCheckpoint, { origin: ORIGIN }, DEADLINE));
}

/** A batch that needs more room than the server's disk has. */
export async function publishTooMuch({ police }: BadInputWorld): Promise<Outcome> {
  const count = 150_000;
  return ofCall(police.upload(police.draftPacked(bulkAdds(count, Date.now()), count)));
}
