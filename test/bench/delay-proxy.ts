import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Bytes that may be under way in one direction of a connection: a fast line of 40 ms holds no more. */
const UNDER_WAY = 64 << 20;

export interface DelayProxy {
  readonly address: string;
  stop(): void;
}

/** Passes connections on to `target` and delivers what it gets `ms` milliseconds later, in both directions. */
export async function startDelayProxy(target: string, ms: number): Promise<DelayProxy> {
  const [host = '', port = ''] = target.split(':');
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const socket of [near, far]) {
      open.add(socket.setNoDelay(true));
      socket.on('error', () => socket.destroy());
      socket.on('close', () => open.delete(socket));
    }
    later(near, far, ms);
    later(far, near, ms);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** Timers of one length fire in the order in which they were set, so bytes keep theirs. */
function later(from: Socket, to: Socket, ms: number): void {
  let underWay = 0;
  from.on('data', (bytes: Buffer) => {
    underWay += bytes.length;
    if (underWay > UNDER_WAY) from.pause();
    setTimeout(() => {
      underWay -= bytes.length;
      if (underWay <= UNDER_WAY) from.resume();
      if (!to.destroyed) to.write(bytes);
    }, ms);
  });
  from.on('end', () => setTimeout(() => to.end(), ms));
  from.on('close', () => setTimeout(() => to.destroy(), ms));
}
