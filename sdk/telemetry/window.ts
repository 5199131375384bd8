import { malformed } from '../core/index.js';
import { WINDOW_OPEN_MS } from './limits.js';

export type WindowUnit = 'day' | 'hour';

/** One whole UTC day or hour. */
export interface Window {
  readonly unit: WindowUnit;
  /** `2026-11-24` or `2026-11-24T07`: ordered as text. */
  readonly label: string;
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
}

export const UNIT_MS: Readonly<Record<WindowUnit, number>> = { day: 86_400_000, hour: 3_600_000 };
/** Start of the year 10000, Unix milliseconds: dates and labels have four digits for the year. */
export const END_OF_TIME_MS = 253_402_300_800_000;

/** The window that `ms` (Unix milliseconds) lies in. Throws MALFORMED for a time that no label can name. */
export function windowAt(unit: WindowUnit, ms: number): Window {
  if (!Number.isSafeInteger(ms) || ms < 0 || ms >= END_OF_TIME_MS) malformed('window_start_ms', 'is no time');
  const startMs = ms - (ms % UNIT_MS[unit]);
  const label = new Date(startMs).toISOString().slice(0, unit === 'day' ? 10 : 13);
  return { unit, label, startMs, endMs: startMs + UNIT_MS[unit] };
}

/** The window of a label; undefined for text that is none. */
export function parseWindow(label: string): Window | undefined {
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2})?$/.test(label)) return undefined;
  const unit = label.length === 10 ? 'day' : 'hour';
  const startMs = Date.parse(unit === 'day' ? `${label}T00:00:00Z` : `${label}:00:00Z`);
  if (Number.isNaN(startMs) || startMs < 0) return undefined;
  const window = windowAt(unit, startMs);
  return window.label === label ? window : undefined;
}

export function nextWindow({ unit, endMs }: Window): Window {
  return windowAt(unit, endMs);
}

export function windowBefore({ unit, startMs }: Window): Window {
  return windowAt(unit, startMs - 1);
}

/** From this moment on nothing alters the window's figures, Unix milliseconds. */
export function closesMs({ endMs }: Window): number {
  return endMs + WINDOW_OPEN_MS;
}
