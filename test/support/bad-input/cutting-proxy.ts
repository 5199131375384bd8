import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Passes bytes between its callers and a server, and cuts each connection after some of the answer. */
export interface CuttingProxy {
  readonly address: string;
  /** How many connections were cut. */
  readonly cuts: number;
  stop(): void;
}

export async function startCuttingProxy(target: string, answerBytes: number): Promise<CuttingProxy> {
  const [host = '', port = ''] = target.split(':');
  const open = new Set<Socket>();
  let cuts = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    const ends = [near, far];
    const end = (): void => {
      for (const socket of ends) {
        socket.destroy();
        open.delete(socket);
      }
    };
    let left = answerBytes;
    for (const socket of ends) {
      open.add(socket);
      socket.on('error', end).on('close', end);
    }
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => {
      near.write(bytes.subarray(0, Math.max(0, left)));
      left -= bytes.length;
      if (left > 0) return;
      cuts += 1;
      end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    stop: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
