import type { CallContext } from './context.js';

/** A method as generated code describes it. */
export interface Method {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  // Bivariant on purpose: each generated method has its own message types.
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(message: never): Buffer;
  requestSerialize(message: never): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}

/** A generated service: its methods by their names in code. */
export type Service = Readonly<Record<string, Method>>;

type Request<M extends Method> = ReturnType<M['requestDeserialize']>;
type Answer<M extends Method> = Parameters<M['responseSerialize']>[0];

/** One request, one answer. */
export type UnaryHandler<Q, P> = (request: Q, context: CallContext) => Promise<P>;
/** One request, many answers: each is asked for when the one before has left. End on `context.signal`. */
export type ServerStreamHandler<Q, P> = (request: Q, context: CallContext) => AsyncIterable<P>;
/**
 * Many requests, one answer. The iterable throws the reason of `context.signal` when that aborts. Its end
 * proves nothing: Node's clients end a stream before they cancel it. Requests MUST say what makes them
 * complete (a count, a digest), and a handler MUST change nothing before it has seen that.
 */
export type ClientStreamHandler<Q, P> = (requests: AsyncIterable<Q>, context: CallContext) => Promise<P>;

export type Handler<M extends Method> = M extends { requestStream: true; responseStream: false }
  ? ClientStreamHandler<Request<M>, Answer<M>>
  : M extends { requestStream: false; responseStream: true }
    ? ServerStreamHandler<Request<M>, Answer<M>>
    : M extends { requestStream: false; responseStream: false }
      ? UnaryHandler<Request<M>, Answer<M>>
      : never;

/** Handlers of a service by method name. What is left out answers UNIMPLEMENTED. */
export type Handlers<S extends Service> = { readonly [K in keyof S]?: Handler<S[K]> };

/** A service with its handlers, ready to be given to the server. */
export interface BoundService {
  readonly service: Service;
  readonly handlers: Readonly<Record<string, AnyHandler | undefined>>;
}

/** A handler once its types have been checked by `bind`. */
export type AnyHandler = (request: never, context: CallContext) => Promise<unknown> | AsyncIterable<unknown>;

/** Pairs a generated service with handlers; the compiler checks every message type. */
export function bind<const S extends Service>(service: S, handlers: Handlers<S>): BoundService {
  return { service, handlers: handlers as BoundService['handlers'] };
}
