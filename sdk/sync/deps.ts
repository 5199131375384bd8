import type { Clock, CosignerPolicy, Random, Suite } from '../core/index.js';
import type { RpcChannel } from '../rpc/index.js';
import type { Store } from '../store/index.js';

/** One server or mirror that carries the lists. Any number may lie: what they say is verified. */
export interface Source {
  /** `host:port`, for messages. */
  readonly name: string;
  readonly channel: RpcChannel;
}

/** A publisher that this client trusts, by the fingerprint that people compared. */
export interface PinnedPublisher {
  /** `members/{member}`. */
  readonly publisher: string;
  /** SHA-256 of the version-1 root body, 32 bytes. */
  readonly fingerprint: Uint8Array;
}

/** What following lists reaches the world through. */
export interface SyncDeps {
  readonly store: Store;
  readonly suite: Suite;
  readonly clock: Clock;
  readonly random: Random;
  /** All are asked; empty where only what is stored is used. */
  readonly sources: readonly Source[];
  readonly trust: readonly PinnedPublisher[];
  readonly cosigners: CosignerPolicy;
}

/** Without any demand for independent cosigners. */
export const NO_COSIGNERS: CosignerPolicy = { keys: [], needed: 0 };
