import type {
  Metadata,
  Server,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  sendUnaryData,
  UntypedHandleCall,
} from '@grpc/grpc-js';
import { HashfedError } from '../../sdk/core/index.js';
import type { WireStatus } from '../../sdk/rpc/index.js';
import { ruleFor } from '../access/index.js';
import { decode, decoded } from './decode.js';
import { type Route, runCall, type Shell } from './dispatch.js';
import type {
  AnyHandler,
  BoundService,
  ClientStreamHandler,
  Method,
  ServerStreamHandler,
  UnaryHandler,
} from './methods.js';
import { readMessages, writeMessages } from './streams.js';

/** Bytes of a request, where its rule does not allow more: the largest of those has 256 names twice. */
const MAX_REQUEST_BYTES = 128 * 1024;

/** Longest durations of calls, milliseconds. */
export interface CallLimits {
  readonly unary_ms: number;
  readonly stream_ms: number;
}

/** How each method of the services runs, by path. Throws INTERNAL where nobody decided who may call one. */
export function routesOf(services: readonly BoundService[], limits: CallLimits): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const { service } of services)
    for (const { path, requestStream, responseStream } of Object.values(service)) {
      const rule = ruleFor(path);
      const streams = requestStream || responseStream || rule.long === true;
      const mostMs = streams ? limits.stream_ms : limits.unary_ms;
      routes.set(path, { rpc: path.slice('/hashfed.v1.'.length), rule, mostMs });
    }
  return routes;
}

/** Adds a service: every method of it, with or without a handler, goes through `runCall`. */
export function register(
  server: Server,
  shell: Shell,
  bound: BoundService,
  routes: ReadonlyMap<string, Route>,
): void {
  const definition: Record<string, unknown> = {};
  const implementation: Record<string, UntypedHandleCall> = {};
  for (const [name, method] of Object.entries(bound.service)) {
    const handler = bound.handlers[name] ?? unimplemented(method);
    const route = routes.get(method.path)!;
    definition[name] = {
      ...method,
      requestDeserialize: decode(method, route.rule.maxBytes ?? MAX_REQUEST_BYTES),
    };
    implementation[name] = implement(shell, route, method, handler);
  }
  server.addService(definition as ServiceDefinition, implementation);
}

function unimplemented(method: Method): AnyHandler {
  const refuse = (): never => {
    throw new HashfedError('UNIMPLEMENTED', 'this server does not offer that call');
  };
  return method.responseStream ? () => ({ [Symbol.asyncIterator]: refuse }) : async () => refuse();
}

function implement(shell: Shell, route: Route, method: Method, handler: AnyHandler): UntypedHandleCall {
  if (method.requestStream && method.responseStream)
    throw new HashfedError('INTERNAL', `${route.rpc} streams both ways, which no RPC of ours does`);
  if (method.requestStream)
    return clientStream(shell, route, handler as ClientStreamHandler<unknown, unknown>);
  if (method.responseStream)
    return serverStream(shell, route, handler as ServerStreamHandler<unknown, unknown>);
  return unary(shell, route, handler as UnaryHandler<unknown, unknown>);
}

type Respond = sendUnaryData<unknown>;

function unary(shell: Shell, route: Route, handler: UnaryHandler<unknown, unknown>) {
  return (call: ServerUnaryCall<unknown, unknown>, respond: Respond): void => {
    void runCall(shell, route, call, respondError(respond), async (running) => {
      const answer = await handler(decoded(call.request), running);
      if (running.answer()) respond(null, answer);
    });
  };
}

function clientStream(shell: Shell, route: Route, handler: ClientStreamHandler<unknown, unknown>) {
  return (call: ServerReadableStream<unknown, unknown>, respond: Respond): void => {
    void runCall(shell, route, call, respondError(respond), async (running) => {
      const answer = await handler(readMessages(call, running), running);
      if (running.answer()) respond(null, answer);
    });
  };
}

function serverStream(shell: Shell, route: Route, handler: ServerStreamHandler<unknown, unknown>) {
  return (call: ServerWritableStream<unknown, unknown>): void => {
    const refuse = (status: WireStatus): void => {
      if (!call.cancelled) call.emit('error', status);
    };
    void runCall(shell, route, call, refuse, async (running) => {
      const answers = handler(decoded(call.request), running);
      await writeMessages(call, answers, running);
      if (running.answer()) call.end();
    });
  };
}

function respondError(respond: Respond): (status: WireStatus) => void {
  return ({ code, details, metadata }) => respond({ code, details }, null, metadata as Metadata);
}
