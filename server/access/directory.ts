import type { MemberRole } from '../../sdk/core/index.js';

/** A role in the federation; a member may have several. */
export type Role = MemberRole;

/** What the directory says of one member; already checked against the directory's signatures. */
export interface MemberRecord {
  /** Name without the `members/` prefix. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  readonly status: 'active' | 'suspended' | 'revoked';
  readonly validFromMs: number;
  /** Unix milliseconds; Infinity is open. */
  readonly validUntilMs: number;
  /** `domain/collection/type`, or a prefix of that whose last part is `*`. */
  readonly readableLists: ReadonlySet<string>;
  /** Domains that its origins may begin with, where it publishes. */
  readonly domains: ReadonlySet<string>;
}

/** A verified member directory. MUST be immutable: a new version is a new object. */
export interface Directory {
  readonly federation: string;
  readonly version: number;
  readonly expiresMs: number;
  /** True only for a federation on one machine. */
  readonly development: boolean;
  /** The record of a member, O(1); undefined where there is none. */
  member(name: string): MemberRecord | undefined;
}

type Listener = (directory: Directory) => void;

/** The directory in force and who wants to hear of the next one. */
export class DirectoryHolder {
  #current: Directory;
  readonly #listeners = new Set<Listener>();

  constructor(first: Directory) {
    this.#current = first;
  }

  get current(): Directory {
    return this.#current;
  }

  /** Puts a verified later version in force, at once for every call in flight. */
  replace(next: Directory): void {
    this.#current = next;
    for (const listener of this.#listeners) listener(next);
  }

  /** Calls `listener` after each replacement, until the returned function is called. */
  onReplaced(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
