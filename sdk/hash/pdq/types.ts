/** What hashing an image takes and gives. */

import type { ImageFormat } from './sniff.js';

/** A file's path, its bytes, or a stream of them. */
export type ImageInput = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface PdqImageOptions {
  /** Frames of an animation, or pages, to hash: spread evenly, the first among them. 1 to 64, default 1. */
  readonly frames?: number;
  /** Also give the eight hashes of the turned and mirrored image. Default false. */
  readonly dihedral?: boolean;
  /** Turn by the EXIF orientation first. Default false: only pixels count, as other implementations have it. */
  readonly orient?: boolean;
  /** Pixels of one frame, at most; default 100,000,000. */
  readonly maxPixels?: number;
  /** Encoded bytes, at most; default 64 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds for the whole of it; default 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Why an image has no hash: `empty` no bytes · `unsupported` not one of the formats, or a codec that the decoder
 * lacks · `corrupt` truncated or damaged · `too-many-bytes`, `too-many-pixels`, `timeout` above the limits ·
 * `too-small` a side under 5 pixels · `unreadable` the file or stream could not be read · `crashed` the decoder
 * took its worker down.
 */
export type PdqFailure =
  | 'empty'
  | 'unsupported'
  | 'corrupt'
  | 'too-many-bytes'
  | 'too-many-pixels'
  | 'too-small'
  | 'timeout'
  | 'unreadable'
  | 'crashed';

/** One hashed frame; `hashes` are the eight dihedral ones where they were asked for. */
export interface PdqFrame {
  readonly frame: number;
  readonly hash: Uint8Array;
  readonly quality: number;
  readonly hashes?: readonly Uint8Array[];
}

export type PdqImage =
  | {
      readonly ok: true;
      readonly format: ImageFormat;
      readonly width: number;
      readonly height: number;
      /** Frames that the file says it has. */
      readonly frameCount: number;
      readonly frames: readonly PdqFrame[];
    }
  | { readonly ok: false; readonly reason: PdqFailure };

/** Ends the hashing of one image; caught where the result is made. */
export class Undecodable extends Error {
  readonly reason: PdqFailure;

  constructor(reason: PdqFailure, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}
