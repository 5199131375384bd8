import type { BodySigner, Clock, MemberDirectory, Suite } from '../../sdk/core/index.js';
import type { Log } from '../logging/index.js';
import type { Storage } from '../storage/index.js';

/** What telemetry reaches the world through. */
export interface TelemetryDeps {
  readonly storage: Pick<Storage, 'telemetry' | 'syncStates'>;
  readonly suite: Suite;
  readonly clock: Clock;
  readonly log: Log;
  /** The directory in force. */
  readonly directory: { readonly current: MemberDirectory };
  /** The operator's key, which signs receipts; without it no report is taken. */
  readonly signing: BodySigner | undefined;
}
