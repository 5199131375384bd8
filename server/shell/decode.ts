import { malformed } from '../../sdk/core/index.js';
import type { Method } from './methods.js';

/** A request that does not decode. It is carried to the handler's place, so that the answer has our code. */
class Undecodable {
  readonly why: string;
  readonly cause: unknown;
  constructor(why: string, cause?: unknown) {
    this.why = why;
    this.cause = cause;
  }
}

/**
 * The decoder of a method's requests; never throws. A longer request than the method has use for is not decoded: a
 * byte of it can become an object of a hundred.
 */
export function decode(method: Method, maxBytes: number): (bytes: Buffer) => unknown {
  return (bytes) => {
    if (bytes.length > maxBytes) return new Undecodable(`is over ${maxBytes} bytes`);
    try {
      return method.requestDeserialize(bytes);
    } catch (cause) {
      return new Undecodable('cannot be decoded', cause);
    }
  };
}

/** Throws MALFORMED for a request that did not decode. */
export function decoded(request: unknown): never {
  if (request instanceof Undecodable) malformed('request', request.why, request.cause);
  return request as never;
}
