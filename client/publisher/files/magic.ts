import { utf8 } from '../../../sdk/core/index.js';

/** What a file is: its first eight bytes, and what messages call it. */
export interface FileKind {
  readonly magic: Uint8Array;
  readonly name: string;
}

export const BATCH_FILE: FileKind = { magic: utf8('HFBATCH1'), name: 'batch file' };
export const REQUEST_FILE: FileKind = { magic: utf8('HFSIGNR1'), name: 'signing request' };
export const SIGNED_FILE: FileKind = { magic: utf8('HFSIGND1'), name: 'signed batch' };
export const EVIDENCE_FILE: FileKind = { magic: utf8('HFEVIDN1'), name: 'evidence' };
export const RECORD_FILE: FileKind = { magic: utf8('HFSIGST1'), name: "signer's record" };
