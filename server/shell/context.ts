import type { Caller } from '../access/index.js';
import type { Log } from '../logging/index.js';

/** What a handler gets besides the request. */
export interface CallContext {
  /** `Service/Method`. */
  readonly rpc: string;
  readonly requestId: string;
  /** Who calls; status, role and validity were checked, lists are the handler's to ask. */
  readonly caller: Caller;
  /**
   * Aborted on cancel, deadline, loss of membership and shutdown, with a HashfedError as reason. A handler
   * MUST end soon after: its place among the calls in flight is taken until it does.
   */
  readonly signal: AbortSignal;
  /** Unix milliseconds by which the call ends, by the client's wish or the server's limit. */
  readonly deadlineMs: number;
  readonly log: Log;
}
