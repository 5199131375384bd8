import { HashfedError } from '../../sdk/core/index.js';
import type { Method } from './methods.js';

/** A request that does not decode. It is carried to the handler's place, so that the answer has our code. */
class Undecodable {
  readonly cause: unknown;
  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** The decoder of a method's requests; never throws. */
export function decode(method: Method): (bytes: Buffer) => unknown {
  return (bytes) => {
    try {
      return method.requestDeserialize(bytes);
    } catch (cause) {
      return new Undecodable(cause);
    }
  };
}

/** Throws MALFORMED for a request that did not decode. */
export function decoded(request: unknown): never {
  if (request instanceof Undecodable)
    throw new HashfedError('MALFORMED', 'request: cannot be decoded', {
      field: 'request',
      cause: request.cause,
    });
  return request as never;
}
