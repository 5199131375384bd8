/**
 * A process of its own that checks one large object and prints what came of it: node large-object.js KIND BYTES [FILE].
 * A process's peak memory can only be read whole, and counts its threads.
 */

import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { pipeline as pump } from 'node:stream/promises';
import { DEFAULT_POLICY, decide, type Verdict } from '../../sdk/match/index.js';
import { type CheckedObject, type ObjectHashes, Pipeline } from '../../sdk/pipeline/index.js';

export interface LargeObject {
  readonly bytes: number;
  readonly sha256: string;
  readonly undecoded: string | null;
  /** Peak of resident memory above what the process had before, MiB. */
  readonly grown: number;
}

const CHUNK = Buffer.alloc(1024 * 1024);
const [kind = '', size = '0', file = ''] = process.argv.slice(2);

let judged: ObjectHashes | undefined;
const pipeline = new Pipeline({
  fileWorkers: 1,
  workers: 1,
  wanted: () => ({ pdq: true, photodna: false }),
  judge: async (object): Promise<Verdict> => {
    judged = object;
    return decide({ matches: [], computed: {}, lists: [], policy: DEFAULT_POLICY, now: 0 });
  },
});

function* content(head: Uint8Array, bytes: number): Generator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let left = bytes - head.length; left > 0; left -= CHUNK.length)
    yield left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
}

/** Somebody who takes the bytes as slowly as a disk does, never in the same turn. */
const slowSink = () => new Writable({ write: (_chunk, _encoding, done) => void setImmediate(done) });

async function check(): Promise<CheckedObject['status'] | string> {
  if (kind === 'file') return (await pipeline.checkFile(file, { ref: 'x' })).status;
  const stream = pipeline.checkStream({ ref: 'x' });
  const head = file === '' ? new Uint8Array() : readFileSync(file);
  await pump(Readable.from(content(head, Number(size)), { objectMode: false }), stream, slowSink());
  await stream.verdict;
  return 'checked';
}

const before = process.memoryUsage().rss / 2 ** 20;
const status = await check();
if (status !== 'checked' || judged === undefined) throw new Error(status);
const answer: LargeObject = {
  bytes: judged.bytes,
  sha256: Buffer.from(judged.hashes.sha256!).toString('hex'),
  undecoded: judged.perceptual?.undecoded ?? null,
  grown: process.resourceUsage().maxRSS / 1024 - before,
};
console.log(JSON.stringify(answer));
await pipeline.close();
