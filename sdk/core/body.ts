/** Strict decoding of protobuf bytes that were, or will be, signed. */
import { equalBytes } from './bytes.js';
import { malformed } from './errors.js';

/** What ts-proto generates for a message. */
export interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/**
 * Decodes `bytes` and demands that they are the canonical encoding of what they say: fields ascending, no unknown
 * or repeated field, no explicit default, no overlong number, nothing behind. Protobuf has many encodings of one
 * meaning; exactly one is accepted, so that equal statements have equal digests. Throws `MALFORMED` naming `field`.
 */
export function decodeStrict<T>(codec: Codec<T>, bytes: Uint8Array, field: string, maxBytes: number): T {
  if (bytes.length > maxBytes) malformed(field, `is over ${maxBytes} bytes`);
  const own = bytes.slice();
  const message = decodeOrRefuse(codec, own, field);
  const again = codec.encode(message).finish();
  if (!equalBytes(again, own)) malformed(field, 'is not in canonical form');
  return message;
}

function decodeOrRefuse<T>(codec: Codec<T>, bytes: Uint8Array, field: string): T {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    return malformed(field, 'does not decode', cause);
  }
}
