/** The disk as the store sees it: every system call that can fail goes through here, so that tests can fail it. */

/** A file being written; created mode 0600. */
export interface WriteHandle {
  /** Appends all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** MUST NOT resolve before content and length are on stable storage. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface ReadHandle {
  /** Bytes in the file when it was opened; it may grow. */
  readonly size: number;
  /** Reads up to `target.length` bytes at `position`; answers how many, fewer only at the end. */
  read(target: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Failures are `HashfedError`: `NOT_FOUND` where `open` finds nothing, `STORAGE_FAILED` with its cause for all else. */
export interface Disk {
  open(path: string): Promise<ReadHandle>;
  /** Creates a file that MUST NOT exist. */
  create(path: string): Promise<WriteHandle>;
  /** Opens an existing file, cuts it to `length` bytes and appends there. */
  append(path: string, length: number): Promise<WriteHandle>;
  /** Atomic; replaces a file. Durable after `syncDirectory` of the parent. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole directory; absent is fine. */
  remove(path: string): Promise<void>;
  /** Creates a directory, mode 0700, with its parents; existing is fine. */
  makeDirectory(path: string): Promise<void>;
  /** MUST NOT resolve before creations, renames and removals in `path` are on stable storage. */
  syncDirectory(path: string): Promise<void>;
  /** Names in a directory, sorted; none when it is absent. */
  list(path: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
}
