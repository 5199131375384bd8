import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { HashType } from '../../proto/gen/hashfed/v1/enums.js';
import type { LookupHashRequest, LookupHashResponse } from '../../proto/gen/hashfed/v1/query.js';
import { QueryServiceService } from '../../proto/gen/hashfed/v1/query_service.js';
import { callUnary, openChannel, type RpcChannel } from '../../sdk/rpc/index.js';
import { bulkAdds } from '../support/server/bulk.js';
import { random, TestFederation } from '../support/server/federation.js';
import { TestPublisher } from '../support/server/publisher.js';
import { interleaved, result } from './measure.js';
import { options } from './options.js';
import type { BenchLine } from './types.js';

const DEFAULT_SIZES = [100_000];
const CALLS = 2_000;
/** Calls that are under way at once. */
const AT_ONCE = 32;
const IN_BATCH = 10_000;
const DEADLINE = { deadlineMs: 60_000, retries: 0 };
const ORIGIN = 'police.example/known/sha256/g1';

interface Fixture {
  readonly n: number;
  readonly federation: TestFederation;
  readonly ours: RpcChannel;
  readonly echo: RpcChannel;
  readonly echoServer: Server;
  /** Hashes; every second one is listed. */
  readonly hashes: Uint8Array;
}

let current: Fixture | undefined;

export async function close(): Promise<void> {
  current?.echo.close();
  current?.echoServer.forceShutdown();
  await current?.federation.remove();
  current = undefined;
}

async function fixture(n: number): Promise<Fixture> {
  if (current?.n === n) return current;
  await close();
  const federation = await TestFederation.make();
  await withoutBudgets(federation);
  await federation.start();
  const police = await TestPublisher.open(federation, 'police', ORIGIN);
  const bundle = bulkAdds(n, Date.now());
  const draft = police.draftPacked(bundle, n);
  await police.commit((await police.prepare(draft)).name, draft, 'two');
  const { echo, echoServer } = await startEcho(federation);
  const ours = await federation.as('hoster-a');
  current = { n, federation, ours, echo, echoServer, hashes: chosen(bundle, n) };
  return current;
}

async function withoutBudgets({ folder }: TestFederation): Promise<void> {
  const file = join(folder, 'server/server.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  const budgets = { lookup: { burst: 1e9, per_second: 1e9 } };
  await writeFile(file, JSON.stringify({ ...config, budgets }));
}

function chosen(bundle: Uint8Array, n: number): Uint8Array {
  const hashes = random.bytes(32 * IN_BATCH);
  const stride = bundle.length / n;
  const hashAt = stride - 34;
  for (let i = 0; i < IN_BATCH; i += 2) {
    const at = ((i * 7919) % n) * stride + hashAt;
    hashes.set(bundle.subarray(at, at + 32), i * 32);
  }
  return hashes;
}

/** A bare handler under the same mutual TLS, which answers as many bytes and does nothing. */
async function startEcho({ folder }: TestFederation) {
  const read = (path: string) => readFile(join(folder, path));
  const ca = await read('server/ca.pem');
  const pair = { cert_chain: await read('server/server.pem'), private_key: await read('server/server.key') };
  const echoServer = new Server();
  const answer = { matches: [], lists: [], padding: new Uint8Array(509) };
  echoServer.addService(QueryServiceService, {
    lookupHash: (
      _: ServerUnaryCall<LookupHashRequest, LookupHashResponse>,
      done: sendUnaryData<LookupHashResponse>,
    ) => done(null, answer),
  } as never);
  const port = await new Promise<number>((resolve, reject) =>
    echoServer.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(ca, [pair], true), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const certificate = await read('members/hoster-a/member.pem');
  const key = await read('members/hoster-a/member.key');
  const tls = { ca, certificate, key };
  return { echoServer, echo: openChannel({ address: `127.0.0.1:${port}`, tls, random }) };
}

/** Single calls, so many at once; answers how many hashes matched. */
async function askEach(channel: RpcChannel, hashes: Uint8Array, calls: number): Promise<number> {
  let next = 0;
  let found = 0;
  const one = async (): Promise<void> => {
    while (next < calls) {
      const at = (next++ % IN_BATCH) * 32;
      const hash = hashes.subarray(at, at + 32);
      const request = { hashType: HashType.SHA256, hash, origins: [] };
      const { matches } = await callUnary(channel, QueryServiceService.lookupHash, request, DEADLINE);
      found += matches.length;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return found;
}

async function askMany({ ours, hashes }: Fixture): Promise<number> {
  const request = { hashType: HashType.SHA256, hashes, origins: [] };
  const { bitmap } = await callUnary(ours, QueryServiceService.lookupHashes, request, DEADLINE);
  return bitmap.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
}

async function unary(n: number): Promise<BenchLine[]> {
  const f = await fixture(n);
  if ((await askEach(f.ours, f.hashes, CALLS)) !== CALLS / 2)
    throw new Error('not every listed hash matched');
  const ms = await interleaved(
    { ours: () => askEach(f.ours, f.hashes, CALLS), echo: () => askEach(f.echo, f.hashes, CALLS) },
    options.rounds,
  );
  const [ours, theirs] = [ms('ours'), ms('echo')].map((took) => (CALLS / took) * 1000) as [number, number];
  const line = { bench: 'query-unary', n, unit: 'ops/s', ours, baseline: 'echo', theirs } as const;
  return [result({ ...line, rounds: options.rounds, checked: true })];
}

async function batch(n: number): Promise<BenchLine[]> {
  const f = await fixture(n);
  if ((await askMany(f)) !== IN_BATCH / 2) throw new Error('not every listed hash matched');
  const ms = await interleaved(
    { ours: () => askMany(f), unary: () => askEach(f.ours, f.hashes, CALLS) },
    options.rounds,
  );
  const ours = (IN_BATCH / ms('ours')) * 1000;
  const theirs = (CALLS / ms('unary')) * 1000;
  const line = { bench: 'query-batch', n, unit: 'ops/s', ours, baseline: 'unary', theirs } as const;
  return [result({ ...line, rounds: options.rounds, checked: true })];
}

const sized = (run: (n: number) => Promise<BenchLine[]>) => async (): Promise<BenchLine[]> => {
  const all: BenchLine[] = [];
  for (const n of options.sizes ?? DEFAULT_SIZES) all.push(...(await run(n)));
  return all;
};

export const benches: Record<string, () => Promise<BenchLine[]>> = {
  'query-unary': sized(unary),
  'query-batch': sized(batch),
};
