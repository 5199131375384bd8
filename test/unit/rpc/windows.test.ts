import { once } from 'node:events';
import { createServer, type Http2Session, type Settings } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { ListServiceService } from '../../../proto/gen/hashfed/v1/list_service.js';
import { callUnary, openChannel } from '../../../sdk/rpc/index.js';

const random = { bytes: (length: number) => new Uint8Array(length) };

/** By default the library leaves 64 KiB a round trip: no list comes over a long line in time. */
it('a client tells servers that it takes 16 MiB a stream without being asked again', async () => {
  const server = createServer();
  const told = new Promise<Settings>((resolve) => {
    server.on('session', (session: Http2Session) => session.on('remoteSettings', resolve));
  });
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const channel = openChannel({ address, tls: 'plaintext-loopback', random });
  const options = { deadlineMs: 20_000, retries: 0 };
  await callUnary(channel, ListServiceService.getCheckpoint, { origin: '' }, options).catch(() => undefined);
  expect((await told).initialWindowSize).toBe(16 * 1024 * 1024);
  channel.close();
  await new Promise((resolve) => server.close(resolve));
});
