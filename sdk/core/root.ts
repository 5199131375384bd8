/** The publisher root as the rest of the code sees it: every field checked, every default filled in. */
import type { Origin } from './origin.js';

export type RootRoleName = 'root' | 'list' | 'approve' | 'live' | 'freshness';
export type PurposeName = 'listed' | 'known-good' | 'test' | 'events';

/** A key of a root. `ed25519` is false for an algorithm this version does not know: such a key never counts. */
export interface RootKey {
  readonly key: Uint8Array;
  /** Name it cosigns notes under; empty unless the role is `approve`. */
  readonly name: string;
  readonly ed25519: boolean;
}

export interface RoleKeys {
  readonly threshold: number;
  readonly keys: readonly RootKey[];
}

/** A state of a log: its size in leaves and its 32-byte root. */
export interface TreeState {
  readonly size: number;
  readonly root: Uint8Array;
}

export interface AutoHold {
  /** Lowest band of distinct uploaders that counts: 2 (1–9), 3 (10–99) or 4 (100+). */
  readonly band: number;
  /** Distinct hosters that must report it. */
  readonly hosters: number;
  readonly durationMs: number;
}

/** The rules for one list. */
export interface OriginSettings {
  readonly origin: Origin;
  readonly purpose: PurposeName;
  readonly sequencingKey: RootKey;
  /** Lowers what one key may change since the anchor, entries; undefined leaves the general limit. */
  readonly oneKeyLimit: number | undefined;
  readonly minSigners: 1 | 2;
  readonly freshnessMaxMs: number;
  readonly maxSilenceMs: number;
  readonly maxSealAgeMs: number;
  readonly eraseAfterMs: number;
  readonly backupMaxMs: number;
  readonly autoHold: AutoHold | undefined;
  readonly handOver: TreeState | undefined;
  /** The closed generation before; undefined exactly in g1. */
  readonly succeeds: (TreeState & { readonly origin: Origin }) | undefined;
}

/** A key that left the root. It counts only on proven prefixes of `lastGood`. */
export interface FormerKey {
  readonly origin: Origin;
  readonly key: RootKey;
  readonly role: Exclude<RootRoleName, 'root'>;
  readonly lastGood: TreeState;
  readonly revoked: boolean;
}

export interface Contact {
  readonly name: string;
  readonly phone: string;
  readonly email: string;
  readonly hours: string;
  readonly languages: readonly string[];
}

export interface PublisherRoot {
  /** `members/{member}`. */
  readonly publisher: string;
  readonly version: number;
  readonly issuedAtMs: number;
  /** From this moment on the root is expired. */
  readonly expiresMs: number;
  readonly contact: Contact;
  readonly criteria: { readonly url: string; readonly sha256: Uint8Array };
  /** `live` and `freshness` may have no keys (threshold 1 then, never met). */
  readonly roles: Readonly<Record<RootRoleName, RoleKeys>>;
  /** By origin text. */
  readonly origins: ReadonlyMap<string, OriginSettings>;
  readonly former: readonly FormerKey[];
  /** SHA-256 of the body of the version before; undefined in version 1. */
  readonly previousSha256: Uint8Array | undefined;
  /** The signed bytes and their SHA-256; of version 1 the latter is the fingerprint that people pin. */
  readonly body: Uint8Array;
  readonly sha256: Uint8Array;
}
