/** Exact hash types that are computed here. */
export const EXACT_TYPES = ['md5', 'sha1', 'sha256'] as const;
export type ExactType = (typeof EXACT_TYPES)[number];

/** 16, 20 and 32 bytes; absent where a type was not asked for. */
export interface ExactHashes {
  readonly md5?: Uint8Array;
  readonly sha1?: Uint8Array;
  readonly sha256?: Uint8Array;
}

export interface Hashed {
  readonly hashes: ExactHashes;
  readonly bytes: number;
}

/** What tells one state of a file from another. Nanoseconds and inode numbers exceed 2^53. */
export interface FileState {
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly inode: bigint;
  readonly device: bigint;
}

export interface HashedFile extends Hashed {
  readonly status: 'hashed';
  /** The file as it was before and after it was read. */
  readonly state: FileState;
}

/**
 * A file that has no hash, and why: `absent` there is none · `unreadable` permission or I/O error · `symlink` not
 * followed · `directory` · `special` device, socket, pipe · `too-large` beyond `maxBytes` · `changed` size, time,
 * inode or length differed after reading: hash it again later.
 */
export interface UnhashedFile {
  readonly status: 'absent' | 'unreadable' | 'symlink' | 'directory' | 'special' | 'too-large' | 'changed';
  /** The system's error code, where there was one. */
  readonly code?: string;
}

export type FileOutcome = HashedFile | UnhashedFile;

export interface HashOptions {
  /** Default: all three. */
  readonly types?: readonly ExactType[];
  /** More bytes are refused; default: no limit. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface FileOptions extends HashOptions {
  /** Follow symbolic links at the end of the path; default: report them. */
  readonly followSymlinks?: boolean;
  /** Called after each piece with the bytes read; awaited before the next one: limits of bandwidth and hours. */
  readonly pace?: (bytes: number) => Promise<void> | void;
}
