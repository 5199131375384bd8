import type { RunningServer } from './server.js';

/**
 * Resolves when SIGTERM or SIGINT was received and the server has stopped. SIGHUP reloads certificates. A
 * second SIGTERM or SIGINT ends the process at once, as the system's default does.
 */
export async function runUntilSignal(
  server: RunningServer,
  say: (line: string) => void,
): Promise<NodeJS.Signals> {
  const reload = (): void => void server.reloadCertificates();
  process.on('SIGHUP', reload);
  say(`listening ${server.address}`);
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    const stop = (received: NodeJS.Signals): void => {
      process.off('SIGTERM', stop).off('SIGINT', stop);
      resolve(received);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
  await server.stop();
  process.off('SIGHUP', reload);
  return signal;
}
