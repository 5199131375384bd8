import { randomUUID } from 'node:crypto';
import type { AuthContext } from '@grpc/grpc-js/build/src/auth-context.js';
import { type Clock, type ErrorCode, HashfedError } from '../../sdk/core/index.js';
import type { WireStatus } from '../../sdk/rpc/index.js';
import {
  type Audit,
  Caller,
  type DirectoryHolder,
  type PeerIdentity,
  type RpcRule,
} from '../access/index.js';
import type { Log } from '../logging/index.js';
import type { Admission } from './admission.js';
import type { CallContext } from './context.js';
import { CallLifetime, type CallSurface } from './lifetime.js';
import { asHashfedError, toWireStatus } from './status.js';

/** What every call of one server shares. */
export interface Shell {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  readonly directory: DirectoryHolder;
  readonly admission: Admission;
  /** Calls whose handlers have not ended. */
  readonly open: Set<OpenCall>;
  /** Throws NOT_AUTHENTICATED. */
  identify(call: AuthenticatedCall): PeerIdentity;
  /** False until the server is ready and once it stops. */
  ready(): boolean;
}

/** A call in flight, as the rest of the server may act on it. */
export interface OpenCall {
  readonly longLived: boolean;
  abort(reason: HashfedError): void;
  /** Aborts where the caller may not go on under the directory in force. */
  recheck(): void;
}

/** A call and what it knows of its peer. */
export interface AuthenticatedCall extends CallSurface {
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
  getAuthContext(): AuthContext;
}

/** How one RPC is run. */
export interface Route {
  /** `Service/Method`. */
  readonly rpc: string;
  readonly rule: RpcRule;
  /** The server's own limit, milliseconds. */
  readonly mostMs: number;
}

/** A context and the caller's right to go on, to be asked before every message that leaves. */
export interface Running {
  readonly context: CallContext;
  readonly lifetime: CallLifetime;
}

/**
 * Runs one call: identity, access, admission, then `work`. Calls `refuse` at most once, and not after `work`
 * has answered through `lifetime.answer()`. Never throws: whatever is thrown becomes one of our codes.
 */
export async function runCall(
  shell: Shell,
  route: Route,
  call: AuthenticatedCall,
  refuse: (status: WireStatus) => void,
  work: (running: Running) => Promise<void>,
): Promise<void> {
  const startedMs = shell.clock.monotonicMs();
  const requestId = requestIdOf(call);
  const lifetime = new CallLifetime(call, shell.clock, route.mostMs);
  let member: string | undefined;
  let admitted = false;
  let outcome: 'OK' | ErrorCode = 'OK';
  const fail = (thrown: unknown): void => {
    const error = asHashfedError(lifetime.signal.aborted ? lifetime.signal.reason : thrown);
    if (outcome === 'OK') outcome = error.code;
    if (lifetime.answer()) refuse(toWireStatus(error, requestId));
    if (error.code === 'INTERNAL' || error.code === 'STORAGE_FAILED')
      shell.log.error('rpc.broken', { rpc: route.rpc, requestId, error });
  };
  lifetime.signal.addEventListener('abort', () => fail(lifetime.signal.reason), { once: true });
  let caller: Caller | undefined;
  const open: OpenCall = {
    longLived: route.rule.longLived === true,
    abort: (reason) => lifetime.abort(reason),
    recheck: () => {
      try {
        caller?.check(shell.clock.nowMs());
      } catch (error) {
        lifetime.abort(asHashfedError(error));
      }
    },
  };
  shell.open.add(open);
  try {
    if (!shell.ready())
      throw new HashfedError('UNAVAILABLE', 'the server is not ready', { retryAfterMs: 1_000 });
    const identity = shell.identify(call);
    member = identity.member;
    caller = new Caller(identity, shell.directory, route.rule);
    caller.check(shell.clock.nowMs());
    shell.admission.enter(member);
    admitted = true;
    const { signal, deadlineMs } = lifetime;
    const log = shell.log.with({ rpc: route.rpc, requestId, member });
    await work({ context: { rpc: route.rpc, requestId, caller, signal, deadlineMs, log }, lifetime });
  } catch (error) {
    fail(error);
  } finally {
    lifetime.answer();
    shell.open.delete(open);
    if (admitted && member !== undefined) shell.admission.leave(member);
    const ms = Math.round(shell.clock.monotonicMs() - startedMs);
    const level = outcome === 'OK' ? 'debug' : 'info';
    shell.log[level]('rpc.done', { rpc: route.rpc, requestId, code: outcome, ms, ...(member && { member }) });
    shell.audit.record({ timeMs: shell.clock.nowMs(), requestId, rpc: route.rpc, member, outcome });
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The client's own request id where it is a UUID, so that both logs tell of the same call; else a new one. */
function requestIdOf(call: AuthenticatedCall): string {
  const [given] = call.metadata.get('hashfed-request-id');
  return typeof given === 'string' && UUID.test(given) ? given : randomUUID();
}
