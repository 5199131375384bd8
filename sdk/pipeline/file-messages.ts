/** What the pool of hashing threads and a thread say to each other. */

import type { FileOutcome } from '../hash/index.js';

export interface FileJob {
  readonly paths: readonly string[];
  /** Also say what the file's first bytes are. */
  readonly sniff: boolean;
}

/** A hashed file and whether it begins like an image. */
export type SniffedFile = FileOutcome & { readonly image?: boolean };

export interface FileAnswer {
  readonly outcomes: readonly SniffedFile[];
}

/** Handed to a thread when it starts. */
export interface FileWorkerData {
  /** One Int32: 1 ends the file in work. */
  readonly stop: SharedArrayBuffer;
}
