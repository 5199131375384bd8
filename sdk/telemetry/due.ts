import { closesMs, parseWindow, type Window, type WindowUnit, windowAt, windowBefore } from './window.js';

export interface DueInput {
  readonly unit: WindowUnit;
  readonly nowMs: number;
  /** Newest window whose end was reported; undefined on the first run. */
  readonly through: string | undefined;
  /** Windows that have counts, and windows that have a revision. */
  readonly counted: readonly string[];
  readonly revised: readonly string[];
  /** Also the window that is still running. */
  readonly open: boolean;
}

export interface DueWindows {
  /** To be reported as far as they have something new to say, oldest first. */
  readonly report: readonly Window[];
  /** To be forgotten after that: nothing of them counts any more. */
  readonly forget: readonly string[];
  /** The new `through`. */
  readonly through: string;
}

/**
 * Which windows are due: pure. Ended ones without counts are due too, since zero is reported explicitly; those that
 * closed while nothing ran and nothing was counted are left out.
 */
export function dueWindows({ unit, nowMs, through, counted, revised, open }: DueInput): DueWindows {
  const running = windowAt(unit, nowMs);
  const known = [...new Set([...counted, ...revised])].flatMap((label) => parseWindow(label) ?? []);
  const due = new Map(known.filter(({ endMs }) => endMs <= nowMs).map((window) => [window.label, window]));
  for (const window of endedSince(running, through, nowMs)) due.set(window.label, window);
  if (open) due.set(running.label, running);
  return {
    report: [...due.values()].sort((a, b) => a.startMs - b.startMs),
    forget: known.filter((window) => closesMs(window) <= nowMs).map(({ label }) => label),
    through: windowBefore(running).label,
  };
}

function endedSince(running: Window, through: string | undefined, nowMs: number): Window[] {
  const last = through === undefined ? undefined : parseWindow(through);
  if (last === undefined || last.unit !== running.unit) return [];
  const windows: Window[] = [];
  let at = windowBefore(running);
  while (at.startMs > last.startMs && closesMs(at) > nowMs) {
    windows.push(at);
    at = windowBefore(at);
  }
  return windows.reverse();
}
