import type { RunningServer } from './server.js';

/** Where signals come from: the process, or a test. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (received: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (received: NodeJS.Signals) => void): unknown;
}

/**
 * Says `listening HOST:PORT`, and resolves when SIGTERM or SIGINT was received and the server has stopped.
 * SIGHUP looks for new certificates. A second SIGTERM or SIGINT ends the process at once, as the system's
 * default does.
 */
export async function runUntilSignal(
  server: RunningServer,
  say: (line: string) => void,
  source: SignalSource = process,
): Promise<NodeJS.Signals> {
  const reload = (): void => void server.reloadCertificates();
  source.on('SIGHUP', reload);
  say(`listening ${server.address}`);
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    const stop = (received: NodeJS.Signals): void => {
      source.off('SIGTERM', stop);
      source.off('SIGINT', stop);
      resolve(received);
    };
    source.on('SIGTERM', stop);
    source.on('SIGINT', stop);
  });
  await server.stop();
  source.off('SIGHUP', reload);
  return signal;
}
