/** The seam's part for logs: heads, segments, bundles, prepared batches. */
import type { ProofPlan } from '../../sdk/core/index.js';
import type { DocumentPut, Page, PageOptions } from './table-types.js';

/** The committed end of one origin's log. */
export interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Compact range of [0, size): roots of the complete subtrees, largest first. */
  readonly compactRange: readonly Uint8Array[];
  /** Signed checkpoint note for (size, root), verbatim. */
  readonly note: Uint8Array;
  /** Newest two-key note, verbatim; empty when there is none yet. */
  readonly anchor: Uint8Array;
  /** The caller's own summary of the state at `size` (at most 1 MiB), committed with the head. */
  readonly state: Uint8Array;
  /** Grows with every change of this head, merged notes included. */
  readonly revision: number;
}

/** A staged range of one log: bytes and tree nodes durable, visible to nobody until a commit links it. */
export interface Segment {
  /** 32 hex digits. */
  readonly id: string;
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  /** Root of [0, from), which a commit compares with the head's. */
  readonly fromRoot: Uint8Array;
  readonly root: Uint8Array;
  readonly compactRange: readonly Uint8Array[];
  /** SHA-256 of the packed entry bytes of [from, to) as one bundle. */
  readonly digest: Uint8Array;
  readonly createdMs: number;
}

/** Packed leaves `(u16 len | leaf)*` from index `first` on; an erased leaf is `u16 0 | 32 B leaf hash`. */
export interface Bundle {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Writes one segment. Memory is bounded whatever its length. Not for concurrent calls. */
export interface Stager {
  /**
   * Adds checked, packed leaves (at most 4 MiB a call; framing is checked again). Bundles are cut anew to
   * 64–256 KiB. Throws `MALFORMED`.
   */
  append(bytes: Uint8Array): Promise<void>;
  /** MUST be durable, tree nodes included, once it resolves. At least one leaf. */
  finish(): Promise<Segment>;
  /** Gives the bytes back; also after `finish`, as long as nothing committed the segment. */
  abort(): Promise<void>;
}

export interface CommitPart {
  readonly origin: string;
  /** Segment ids, each beginning where the one before ends; the first at the head. */
  readonly segments: readonly string[];
  /** What the note says; compared with the last segment's. */
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: Uint8Array;
  readonly anchor: Uint8Array;
  readonly state: Uint8Array;
}

export interface ReadOptions {
  readonly from: number;
  readonly to: number;
  readonly signal?: AbortSignal;
}

export interface LogStore {
  /** The committed head, or undefined for an origin without one. */
  head(origin: string): Promise<Head | undefined>;
  /** All heads, by origin. */
  heads(): AsyncIterable<Head>;
  /**
   * Begins a segment at the head of `origin` (size 0 where there is none) or, with `after`, at the end of a
   * finished segment. Throws `NOT_FOUND` for an unknown `after`.
   */
  stage(origin: string, after?: string): Promise<Stager>;
  /** A finished segment, or undefined; committed ones are found for ever, dropped ones no more. */
  segment(id: string): Promise<Segment | undefined>;
  /** The packed leaves of a finished segment, committed or not (before a commit they are re-read and re-hashed). */
  readSegment(id: string, signal?: AbortSignal): AsyncIterable<Bundle>;
  /**
   * Makes all parts visible together, or none: compare-and-swap on every origin's (size, root). MUST be
   * durable once it resolves; readers MUST never see one part without the others. Documents are put in the
   * same transaction. Throws `OLD_SIZE_MISMATCH` where a head moved, `ROOT_MISMATCH` where `size` or `root`
   * is not the last segment's, `NOT_FOUND` for an unknown segment. Cost does not depend on the segments'
   * length.
   */
  commit(parts: readonly CommitPart[], documents?: readonly DocumentPut[]): Promise<readonly Head[]>;
  /**
   * Replaces notes (and state) of the same (size, root): for merged signature lines and anchors. Resolves to
   * undefined, having written nothing, when the head's revision is no longer `current.revision`.
   */
  replaceNotes(
    current: Head,
    change: Partial<Pick<Head, 'note' | 'anchor' | 'state'>>,
  ): Promise<Head | undefined>;
  /**
   * Bundles that cover exactly [from, to) in order, small neighbours joined, none above 256 KiB. Pulls from
   * the store only as fast as the consumer reads. Throws `UNKNOWN_ORIGIN`, and `SIZE_AHEAD` when `to` is above
   * the committed size. A gap or damaged bundle is `STORAGE_FAILED`, never a short answer.
   */
  read(origin: string, options: ReadOptions): AsyncIterable<Bundle>;
  /** Packed leaf hashes of [from, to), at most 8,192 (256 KiB) a piece. Throws as `read`. */
  readLeafHashes(origin: string, options: ReadOptions): AsyncIterable<Bundle>;
  /**
   * A reader of tree nodes for inclusion and consistency proofs: the hash of the complete subtree of 2^level
   * leaves at `index`. Every node lies in one tile of 256 hashes; tiles are read once per reader, so that a
   * proof costs O(log n) reads. Throws `SIZE_AHEAD` for a node that is not complete at the committed size.
   */
  nodes(origin: string): NodeReader;
  /**
   * Replaces the leaves by `u16 0 | leaf hash` in place, durably and physically (older bytes are purged before
   * it resolves). Already erased ones are skipped; resolves to how many were erased. Indexes ascending.
   * Roots, sizes and notes do not change. Throws `UNKNOWN_ORIGIN`, `SIZE_AHEAD`.
   */
  erase(origin: string, indexes: readonly number[], signal?: AbortSignal): Promise<number>;
}

export interface NodeReader {
  /** One complete node; 32 bytes. */
  node(level: number, index: number): Promise<Uint8Array>;
  /** Reads all nodes of a plan (`planInclusion`, `planConsistency`) and hands back what folding it needs. */
  load(plan: ProofPlan): Promise<(level: number, index: number) => Uint8Array>;
}

/** What PrepareBatch fixed, over one or several origins. */
export interface PreparedBatch {
  /** 32 hex digits, chosen by the store. */
  readonly id: string;
  readonly createdMs: number;
  /** Segment ids; their origins are distinct. */
  readonly segments: readonly string[];
  /** The caller's bytes (the answer that was given, say), at most 1 MiB. */
  readonly body: Uint8Array;
  /** AbortBatch hides a batch and deletes nothing. */
  readonly hidden: boolean;
}

export interface PreparedStore {
  /** MUST be durable once it resolves. Throws `NOT_FOUND` for an unknown segment. */
  put(segments: readonly string[], body: Uint8Array): Promise<PreparedBatch>;
  get(id: string): Promise<PreparedBatch | undefined>;
  /** Oldest first. */
  list(options?: PageOptions): Promise<Page<PreparedBatch>>;
  /** False for an unknown id. */
  hide(id: string): Promise<boolean>;
  /**
   * Deletes what no commit can use any more: segments whose `from` a head has passed, or older than 30 days
   * (unfinished ones: one day), with the batches that name them. Never a committed segment. Resolves to how
   * many segments went. Safe beside all other calls and when cut off.
   */
  sweep(signal?: AbortSignal): Promise<number>;
}
