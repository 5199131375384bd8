import type { BodySigner, Clock, Random, Suite } from '../core/index.js';
import type { RpcChannel } from '../rpc/index.js';
import type { SpooledReport, Store } from '../store/index.js';
import type { MemberBook } from './members.js';
import type { WindowUnit } from './window.js';

export interface TelemetryParts {
  readonly store: Store;
  readonly suite: Suite;
  readonly clock: Clock;
  readonly random: Random;
  readonly channels: readonly RpcChannel[];
  /** False: nothing is counted and nothing leaves. */
  readonly enabled: boolean;
  readonly unit: WindowUnit;
  /** `members/{member}`. */
  readonly member: string;
  readonly sdkVersion: string;
  readonly policySha256: Uint8Array;
  /** Publisher (`members/{member}`) of a list, undefined where it is not known. */
  readonly publisherOf: (origin: string) => string | undefined;
  /** The hoster's signing key, read when it is first needed. Throws USAGE where there is none. */
  readonly signer: () => Promise<BodySigner>;
  /** The member directory: whose receipts count. Throws USAGE where none is pinned. */
  readonly members: () => Promise<MemberBook>;
}

/** Something that a person should look at. */
export interface TelemetryAlarm {
  readonly cause: 'refused' | 'no-monitor-receipt' | 'undelivered';
  readonly sequence: number;
  readonly window: string;
  readonly revision: number;
  /** Why the server refused; empty otherwise. */
  readonly code: string;
}

/** Exactly what will leave, and what has left and is not settled. */
export interface TelemetryPreview {
  readonly enabled: boolean;
  readonly member: string;
  /** Windows with something new to say, as their next report would say it. */
  readonly next: readonly object[];
  readonly spool: readonly {
    readonly state: SpooledReport['state'];
    readonly queued_ms: number;
    readonly server_receipt: boolean;
    readonly monitor_receipt: boolean;
    readonly report: object;
  }[];
  readonly alarms: readonly TelemetryAlarm[];
}
