import type { Policy } from './policy.js';

/**
 * Does an item suddenly match far more distinct uploaders than it ever did? `now` counts the current day, `usual` is
 * the highest of the days before (0 without any).
 */
export function breakerTrips(uploaders: { now: number; usual: number }, { breaker }: Policy): boolean {
  if (!breaker.enabled || uploaders.now < breaker.min_uploaders) return false;
  return uploaders.now >= breaker.factor * Math.max(1, uploaders.usual);
}
