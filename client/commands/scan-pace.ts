import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { HashfedError } from '../../sdk/index.js';
import type { CliContext } from '../cli/index.js';

/** What holds a scan back: `open` waits for the hours it may run in, `pace` also for the bytes it may read. */
export interface Pace {
  open(): Promise<void>;
  pace(bytes: number): Promise<void>;
}

const DAY_MINUTES = 24 * 60;
/** The clock may be set while we wait: look again this often, milliseconds. */
const MAX_WAIT_MS = 60_000;
/** Shorter pauses are made up for later, milliseconds: timers are no more exact. */
const MIN_PAUSE_MS = 5;
/** What was not read in time is not caught up with for longer than this, milliseconds. */
const MAX_CREDIT_MS = 250;

type Options = { readonly maxMbps?: string; readonly window?: string };

/** undefined where nothing holds it back; `tell` hears once a wait that the window is closed. Throws USAGE. */
export function makePace(
  { maxMbps, window }: Options,
  { clock, signal }: Pick<CliContext, 'clock' | 'signal'>,
  tell: (text: string) => void = () => {},
): Pace | undefined {
  if (maxMbps === undefined && window === undefined) return undefined;
  // One for each file in work.
  setMaxListeners(0, signal);
  const wait = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  const hours = window === undefined ? undefined : parseWindow(window);
  const bytesPerMs = maxMbps === undefined ? Number.POSITIVE_INFINITY : parseRate(maxMbps);
  let told = false;
  const open = async (): Promise<void> => {
    while (hours !== undefined && !signal.aborted) {
      const ms = waitFor(hours, new Date(clock.nowMs()));
      if (ms === 0) {
        told = false;
        return;
      }
      if (!told) tell(`outside the window ${window}: waiting ${Math.ceil(ms / 60_000)} min, nothing is read`);
      told = true;
      await wait(Math.min(ms, MAX_WAIT_MS));
    }
  };
  let free = clock.monotonicMs();
  const pace = async (bytes: number): Promise<void> => {
    free = Math.max(free, clock.monotonicMs() - MAX_CREDIT_MS) + bytes / bytesPerMs;
    const ahead = free - clock.monotonicMs();
    if (ahead > MIN_PAUSE_MS) await wait(ahead);
    await open();
  };
  return { open, pace };
}

/** Megabits a second to bytes a millisecond. */
function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate <= 1e6))
    throw new HashfedError('USAGE', '--max-mbps must be a number of megabits a second', {
      field: 'max-mbps',
    });
  return (rate * 1e6) / 8 / 1000;
}

export interface Hours {
  /** Minutes of the day; `to` below `from`: over midnight. */
  readonly from: number;
  readonly to: number;
}

/** Throws USAGE unless it is HH:MM-HH:MM with two different times. */
export function parseWindow(text: string): Hours {
  const [, h1, m1, h2, m2] = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  const from = Number(h1) * 60 + Number(m1);
  const to = Number(h2) * 60 + Number(m2);
  if (Number.isNaN(from) || from === to)
    throw new HashfedError('USAGE', '--window must be HH:MM-HH:MM, as in 22:00-06:00', { field: 'window' });
  return { from, to };
}

/** Milliseconds until the window opens, by the local clock; 0 while it is open. */
export function waitFor({ from, to }: Hours, now: Date): number {
  const minute = now.getHours() * 60 + now.getMinutes();
  const isOpen = from < to ? minute >= from && minute < to : minute >= from || minute < to;
  if (isOpen) return 0;
  const minutes = (from - minute + DAY_MINUTES) % DAY_MINUTES;
  return minutes * 60_000 - now.getSeconds() * 1_000 - now.getMilliseconds();
}
