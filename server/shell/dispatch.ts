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

/** Callers by the metadata of their call, so that the gate and the handler's place ask once. */
const known = new WeakMap<object, Caller>();

/** Who calls; nothing is checked yet but the certificate's name. Throws UNAVAILABLE, NOT_AUTHENTICATED. */
export function callerOf(shell: Shell, { rule }: Route, call: AuthenticatedCall): Caller {
  if (!shell.ready())
    throw new HashfedError('UNAVAILABLE', 'the server is not ready', { retryAfterMs: 1_000 });
  const held = known.get(call.metadata);
  if (held !== undefined) return held;
  const caller = new Caller(shell.identify(call), shell.directory, rule);
  known.set(call.metadata, caller);
  return caller;
}

/** How one RPC is run. */
export interface Route {
  /** `Service/Method`. */
  readonly rpc: string;
  readonly rule: RpcRule;
  /** The server's own limit, milliseconds. */
  readonly mostMs: number;
}

/**
 * Runs one call: identity, access, admission, then `work`. Calls `refuse` at most once, and not after `work`
 * has answered through `call.answer()`. Never throws: whatever is thrown becomes one of our codes.
 */
export async function runCall(
  shell: Shell,
  route: Route,
  surface: AuthenticatedCall,
  refuse: (status: WireStatus) => void,
  work: (call: RunningCall) => Promise<void>,
): Promise<void> {
  const call = new RunningCall(shell, route, surface, refuse);
  shell.open.add(call);
  try {
    call.admit(surface);
    await work(call);
  } catch (error) {
    call.fail(error);
  } finally {
    shell.open.delete(call);
    call.finish();
  }
}

/** One call while its handler runs; it is the handler's context too. */
export class RunningCall implements CallContext, OpenCall {
  readonly requestId: string;
  readonly #shell: Shell;
  readonly #route: Route;
  readonly #refuse: (status: WireStatus) => void;
  readonly #lifetime: CallLifetime;
  readonly #startedMs: number;
  #caller: Caller | undefined;
  #log: Log | undefined;
  #admitted = false;
  #outcome: 'OK' | ErrorCode = 'OK';

  constructor(shell: Shell, route: Route, surface: AuthenticatedCall, refuse: (status: WireStatus) => void) {
    this.#shell = shell;
    this.#route = route;
    this.#refuse = refuse;
    this.#startedMs = shell.clock.monotonicMs();
    this.requestId = requestIdOf(surface);
    this.#lifetime = new CallLifetime(surface, shell.clock, route.mostMs, (reason) => this.fail(reason));
  }

  get rpc(): string {
    return this.#route.rpc;
  }

  get longLived(): boolean {
    return this.#route.rule.longLived === true;
  }

  get caller(): Caller {
    if (this.#caller === undefined) throw new HashfedError('INTERNAL', 'a call ran before it was admitted');
    return this.#caller;
  }

  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }

  get deadlineMs(): number {
    return this.#lifetime.deadlineMs;
  }

  get log(): Log {
    const member = this.#caller?.member;
    this.#log ??= this.#shell.log.with({
      rpc: this.rpc,
      requestId: this.requestId,
      ...(member && { member }),
    });
    return this.#log;
  }

  /** Identity, access and a place among the calls in flight. Throws what says why not. */
  admit(surface: AuthenticatedCall): void {
    this.#caller = callerOf(this.#shell, this.#route, surface);
    this.#caller.check(this.#shell.clock.nowMs());
    this.#shell.admission.enter(this.#caller.member);
    this.#admitted = true;
  }

  /** Throws where the call was aborted or the caller may no longer have what comes next. */
  check(): void {
    this.throwIfAborted();
    this.caller.check(this.#shell.clock.nowMs());
  }

  throwIfAborted(): void {
    if (this.#lifetime.reason !== undefined) throw this.#lifetime.reason;
  }

  abort(reason: HashfedError): void {
    this.#lifetime.abort(reason);
  }

  recheck(): void {
    try {
      this.#caller?.check(this.#shell.clock.nowMs());
    } catch (error) {
      this.abort(asHashfedError(error));
    }
  }

  /** True for the first to answer the client. */
  answer(): boolean {
    return this.#lifetime.answer();
  }

  /** Refuses, unless the client has its answer already. An abort is the reason for whatever it made fail. */
  fail(thrown: unknown): void {
    const error = this.#lifetime.reason ?? asHashfedError(thrown);
    if (this.#outcome === 'OK') this.#outcome = error.code;
    if (this.answer()) this.#refuse(toWireStatus(error, this.requestId));
    if (error.code === 'INTERNAL' || error.code === 'STORAGE_FAILED') this.log.error('rpc.broken', { error });
  }

  /** Frees the place and writes down what became of the call. */
  finish(): void {
    this.answer();
    const { admission, audit, clock, log } = this.#shell;
    const { rpc, requestId } = this;
    const outcome = this.#outcome;
    const member = this.#caller?.member;
    if (this.#admitted && member !== undefined) admission.leave(member);
    const ms = Math.round(clock.monotonicMs() - this.#startedMs);
    const level = outcome === 'OK' ? 'debug' : 'info';
    log[level]('rpc.done', { rpc, requestId, code: outcome, ms, ...(member && { member }) });
    audit.record({ timeMs: clock.nowMs(), requestId, rpc, member, outcome });
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The client's own request id where it is a UUID, so that both logs tell of the same call; else a new one. */
function requestIdOf(call: AuthenticatedCall): string {
  const [given] = call.metadata.get('hashfed-request-id');
  return typeof given === 'string' && UUID.test(given) ? given : randomUUID();
}
