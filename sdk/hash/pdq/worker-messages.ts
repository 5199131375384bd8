/** What a pool and its workers say to each other. */

import { type ErrorCode, HashfedError } from '../../core/index.js';
import type { PdqImage, PdqImageOptions } from './types.js';

export interface Job {
  readonly id: number;
  readonly input: string | Uint8Array;
  readonly options: Omit<PdqImageOptions, 'signal'>;
}

export interface Answer {
  readonly id: number;
  readonly image?: PdqImage;
  readonly failure?: { readonly code: ErrorCode; readonly message: string };
}

export function isHashfedError(error: unknown): error is HashfedError {
  return error instanceof HashfedError;
}
