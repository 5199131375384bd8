import { connect, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { SyncClient, TestClock } from '../support/sync/client.js';
import { FakeList, FakeServer } from '../support/sync/fake-server.js';
import { ORIGIN, T0 } from '../support/trust/bodies.js';

/** One list, a server of it, and a bare HTTP/2 server of the same bytes. */
export interface SyncFixture {
  readonly n: number;
  readonly clock: TestClock;
  readonly list: FakeList;
  readonly server: FakeServer;
  readonly raw: Http2Server;
  readonly rawAddress: string;
}

/** As the SDK's channels have it. */
const WINDOW = 16 << 20;

let current: SyncFixture | undefined;

/** One size at a time: two would not fit beside each other. */
export async function syncFixture(n: number): Promise<SyncFixture> {
  if (current?.n === n) return current;
  await closeFixture();
  const clock = new TestClock(T0 + 60_000);
  const list = new FakeList(ORIGIN, () => clock.nowMs());
  list.log.publishRandom(n);
  list.sign('two');
  const raw = createServer({ settings: { initialWindowSize: WINDOW } });
  raw.on('stream', async (stream) => {
    stream.respond({ ':status': 200 });
    for (const { bytes } of list.log.bundles) await new Promise((done) => stream.write(bytes, done));
    stream.end();
  });
  await new Promise<void>((done) => raw.listen(0, '127.0.0.1', done));
  const rawAddress = `127.0.0.1:${(raw.address() as AddressInfo).port}`;
  current = { n, clock, list, server: await FakeServer.start(list), raw, rawAddress };
  return current;
}

export async function closeFixture(): Promise<void> {
  current?.server.stop();
  current?.raw.close();
  current = undefined;
}

export const newClient = ({ clock, server }: SyncFixture, address = server.address): Promise<SyncClient> =>
  SyncClient.open(ORIGIN, clock, [server.source(address)]);

/** Syncs and checks that all arrived. */
export async function syncWhole(f: SyncFixture, client: SyncClient): Promise<void> {
  await client.sync();
  if (client.replica.state.count !== f.list.log.state.count) throw new Error('the synced list is incomplete');
}

/** The bytes of the list through one HTTP/2 stream, thrown away as they come. */
export async function rawTransfer(address: string): Promise<void> {
  const session = connect(`http://${address}`, { settings: { initialWindowSize: WINDOW } });
  session.once('connect', () => session.setLocalWindowSize(WINDOW));
  const stream = session.request({ ':path': '/' });
  await new Promise<void>((resolve, reject) => {
    stream.on('data', () => {});
    stream.once('end', resolve);
    stream.once('error', reject);
  });
  session.close();
}
