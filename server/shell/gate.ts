import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js/build/src/server-interceptors.js';
import { HashfedError } from '../../sdk/core/index.js';
import { Admission } from './admission.js';
import { type AuthenticatedCall, callerOf, type Route, runCall, type Shell } from './dispatch.js';

/** How many requests may be on their way at once, in all and of one member. */
export interface GateLimits {
  readonly calls: number;
  readonly calls_per_member: number;
  /** Longest that one request may take to arrive, milliseconds. */
  readonly unary_ms: number;
}

/**
 * Stands before the library reads a request: up to 4 MiB of it are kept before any handler runs, on every stream of
 * every connection. So the caller is asked first, and what is still arriving counts against it. Methods that are not
 * in `routes` pass.
 */
export function gate(
  shell: Shell,
  routes: ReadonlyMap<string, Route>,
  limits: GateLimits,
): ServerInterceptor {
  const arriving = new Admission(limits.calls, limits.calls_per_member);
  return (method, next) => {
    const route = routes.get(method.path);
    if (route === undefined) return new ServerInterceptingCall(next);
    // A stream of requests is its handler's from the start, which takes one at a time.
    const whole = !method.requestStream;
    let leave = (): void => {};
    return new ServerInterceptingCall(next, {
      start: (begin) =>
        begin({
          onReceiveMetadata: (metadata, pass) => {
            const surface = surfaceOf(next, metadata);
            try {
              const caller = callerOf(shell, route, surface);
              caller.check(shell.clock.nowMs());
              const onLate = (): void => refuse(next, shell, route, surface, late());
              if (whole) leave = hold(arriving, caller.member, limits.unary_ms, onLate);
            } catch (error) {
              refuse(next, shell, route, surface, error);
              return;
            }
            pass(metadata);
          },
          onReceiveHalfClose: (pass) => {
            leave();
            pass();
          },
          onCancel: () => leave(),
        }),
    });
  };
}

/** Takes a place; the answer gives it back, however often it is called. */
function hold(arriving: Admission, member: string, ms: number, onLate: () => void): () => void {
  arriving.enter(member);
  let held = true;
  const leave = (): void => {
    if (held) arriving.leave(member);
    held = false;
    clearTimeout(timer);
  };
  const timer = setTimeout(() => {
    leave();
    onLate();
  }, ms);
  timer.unref();
  return leave;
}

/** Answers, logs and audits a call that never reached its handler. */
function refuse(
  next: ServerInterceptingCallInterface,
  shell: Shell,
  route: Route,
  surface: AuthenticatedCall,
  why: unknown,
): void {
  const answer = (status: Parameters<typeof next.sendStatus>[0]): void => next.sendStatus(status);
  void runCall(shell, route, surface, answer, () => Promise.reject(why));
}

function surfaceOf(
  next: ServerInterceptingCallInterface,
  metadata: AuthenticatedCall['metadata'],
): AuthenticatedCall {
  return {
    metadata,
    getAuthContext: () => next.getAuthContext(),
    getDeadline: () => next.getDeadline(),
    once: () => undefined,
  };
}

const late = (): HashfedError => new HashfedError('DEADLINE', 'the request took too long to arrive');
