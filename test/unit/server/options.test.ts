import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../server/config/index.js';
import { grpcOptions, http2Options } from '../../../server/shell/options.js';

/** What the library leaves without a limit, or at one that a single peer can exhaust us with. */
const LIMITED = [
  'grpc.max_receive_message_length',
  'grpc.max_send_message_length',
  'grpc.max_concurrent_streams',
  'grpc.max_connection_age_ms',
  'grpc.max_connection_age_grace_ms',
  'grpc.max_connection_idle_ms',
  'grpc.keepalive_time_ms',
  'grpc.keepalive_timeout_ms',
  'grpc-node.max_session_memory',
] as const;

it.each(LIMITED)('%s is limited', (name) => {
  const value = grpcOptions(DEFAULT_LIMITS)[name];
  expect(Number.isSafeInteger(value)).toBe(true);
  expect(value).toBeGreaterThan(0);
});

it('what a peer may send ahead, and its headers, are limited', () => {
  const { settings } = http2Options(DEFAULT_LIMITS);
  expect(settings?.initialWindowSize).toBeLessThanOrEqual(4 * 1024 * 1024);
  expect(settings?.maxConcurrentStreams).toBe(DEFAULT_LIMITS.streams_per_connection);
  expect(settings?.maxHeaderListSize).toBeLessThanOrEqual(64 * 1024);
});
