import { parseCheckpoint, parseNote } from '../../sdk/core/index.js';
import type { Head } from '../storage/index.js';

/** Size of the newest two-key checkpoint that the head carries; undefined while there is none. */
export function anchorSizeOf(head: Head | undefined): number | undefined {
  if (head === undefined || head.anchor.length === 0) return undefined;
  return parseCheckpoint(parseNote(head.anchor).body).size;
}
