import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeLock } from '../../../sdk/inventory/index.js';
import type { Workstation } from './open.js';

/** How long ours waits for another publication of this member, milliseconds. */
const WAIT_MS = 10_000;
const RETRY_MS = 100;

/**
 * The outbox for one process alone: what another one is signing looks like what an interrupted one left behind, and a
 * signature that is lost leaves its key ahead of the list for ever. Answers how to let go of it. Throws
 * `STORAGE_FAILED` while another process holds it.
 */
export async function takeOutbox({ paths, clock, signal }: Workstation): Promise<() => void> {
  await mkdir(paths.outbox, { recursive: true, mode: 0o700 });
  for (const until = clock.monotonicMs() + WAIT_MS; ; ) {
    try {
      return takeLock(
        paths.outbox,
        'another publication of this member is running: try again when it has ended',
      );
    } catch (error) {
      if (clock.monotonicMs() > until) throw error;
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
