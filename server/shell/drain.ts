import type { Server } from '@grpc/grpc-js';
import { HashfedError } from '../../sdk/core/index.js';
import type { Shell } from './dispatch.js';
import type { Health } from './health.js';

/** After calls were told to end, their last words get this long to leave, milliseconds. */
const LAST_WORDS_MS = 500;

/**
 * Stops a server: no new connections or calls, watches end at once, the others may finish for `drainMs`,
 * then they are aborted with UNAVAILABLE and connections are cut.
 */
export async function stopGracefully(
  server: Server,
  shell: Shell,
  health: Health,
  drainMs: number,
): Promise<void> {
  shell.log.info('server.stopping', { count: shell.open.size, ms: drainMs });
  const closed = new Promise<void>((resolve) => {
    server.tryShutdown(() => resolve());
  });
  health.endWatches();
  for (const call of shell.open) if (call.longLived) call.abort(stopping());
  if (!(await within(closed, drainMs))) {
    shell.log.warn('server.drain-ended', { count: shell.open.size });
    for (const call of shell.open) call.abort(stopping());
    await within(closed, LAST_WORDS_MS);
  }
  server.forceShutdown();
  shell.log.info('server.stopped');
}

function stopping(): HashfedError {
  return new HashfedError('UNAVAILABLE', 'the server is stopping', { retryAfterMs: 1_000 });
}

/** True where `done` resolved within the time. */
async function within(done: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([done.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
