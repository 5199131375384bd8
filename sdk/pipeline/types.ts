import type { ExactHashes, FileState, UnhashedFile } from '../hash/index.js';
import type { PdqFailure } from '../hash/pdq/index.js';
import type { Verdict } from '../match/index.js';

/** A PDQ value of one frame as it is or turned, 32 bytes, and the frame's quality, 0 to 100. */
export interface PdqValue {
  readonly hash: Uint8Array;
  readonly quality: number;
}

/**
 * Why an object has no perceptual value: what the decoder says, or `overloaded` no memory was free for a stream's bytes ·
 * `unavailable` the optional image decoder is not installed · `hasher` the injected hasher failed or found nothing.
 */
export type Undecoded = PdqFailure | 'overloaded' | 'unavailable' | 'hasher';

/** Perceptual values, as far as lists and policy ask for any. */
export interface PerceptualHashes {
  readonly pdq: readonly PdqValue[];
  /** 144 opaque bytes each, from the licensee's hasher. */
  readonly photodna: readonly Uint8Array[];
  /** Set where a value was asked for and none could be had; the exact verdict stands all the same. */
  readonly undecoded?: Undecoded;
}

/** Everything that is known of one object. */
export interface ObjectHashes {
  readonly hashes: ExactHashes;
  readonly bytes: number;
  /** Absent where nobody asks for perceptual values. */
  readonly perceptual?: PerceptualHashes;
}

/** What one checked object is called, and who brought it. */
export interface ObjectOptions {
  /** The hoster's own reference of the object: what the journal names when it is released. */
  readonly ref: string;
  /** Whoever uploaded it, for the breaker: told apart by a keyed digest in memory, never stored, never sent. */
  readonly uploader?: string;
  /** Its size where it is known beforehand: another one is `MALFORMED`, for it would be a verdict on a part. */
  readonly bytes?: number;
  /** True for what arrives now (an upload), as opposed to what lies there: for the coverage that telemetry states. */
  readonly received?: boolean;
  readonly signal?: AbortSignal;
}

/** Decides on an object; it journals and counts as it must before it resolves. */
export type Judge = (object: ObjectHashes, options: ObjectOptions) => Promise<Verdict>;

/** Which perceptual values are worth computing now. */
export interface Wanted {
  readonly pdq: boolean;
  readonly photodna: boolean;
}

/**
 * The licensee's own hasher. Answers the values of an image or of a film's frames (144 bytes each, at most 64);
 * undefined where there is none. A path is handed over for files, bytes for everything else.
 */
export interface PhotoDnaHasher {
  hash(input: string | Uint8Array, signal?: AbortSignal): Promise<readonly Uint8Array[] | undefined>;
}

export interface CheckedObject {
  readonly status: 'checked';
  readonly verdict: Verdict;
  readonly object: ObjectHashes;
}

export interface CheckedFile extends CheckedObject {
  /** The file as it was before, while and after it was read. */
  readonly state: FileState;
}

export type FileCheck = CheckedFile | UnhashedFile;

/** One object of many: a path or the bytes. */
export interface ManyInput extends Omit<ObjectOptions, 'signal'> {
  readonly input: string | Uint8Array;
}

/** `failed`: the object could be read, but not judged, journaled or counted. */
export interface ManyResult {
  readonly ref: string;
  readonly outcome: FileCheck | CheckedObject | { readonly status: 'failed'; readonly error: unknown };
}
