import type { Http2SecureServer, Http2Server, SecureServerOptions, ServerHttp2Session } from 'node:http2';
import { TLSSocket } from 'node:tls';
import type { Server, ServerOptions } from '@grpc/grpc-js';
import { MAX_MESSAGE_BYTES } from '../../sdk/core/index.js';
import type { ServerLimits } from '../config/index.js';
import type { Log } from '../logging/index.js';

/** Bytes that a client may send before we have read them, on one stream and on one connection: a WAN's worth. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;
/** Bytes of all headers of one request; ours take some hundred. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Calls on a connection past its age may go on this long, milliseconds. */
const AGE_GRACE_MS = 60_000;
/** One certificate may have this part of all connections. */
const CONNECTION_SHARES = 4;
/** At most one line about refused handshakes in this time, milliseconds. */
const REFUSED_EVERY_MS = 1_000;

/** Options of the gRPC library: every one that is unlimited by default is limited here. */
export function grpcOptions(limits: ServerLimits): ServerOptions {
  return {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': limits.streams_per_connection,
    'grpc.max_connection_age_ms': limits.connection_age_ms,
    'grpc.max_connection_age_grace_ms': AGE_GRACE_MS,
    'grpc.max_connection_idle_ms': limits.connection_idle_ms,
    'grpc.keepalive_time_ms': limits.keepalive_ms,
    'grpc.keepalive_timeout_ms': limits.keepalive_timeout_ms,
    'grpc-node.max_session_memory': limits.session_memory_mb,
    'grpc.enable_channelz': 0,
  };
}

/** Options of HTTP/2 that the gRPC library has no names for; they travel with the credentials. */
export function http2Options(limits: ServerLimits): SecureServerOptions {
  return {
    settings: {
      maxConcurrentStreams: limits.streams_per_connection,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: MAX_HEADER_BYTES,
    },
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
  };
}

type AnyServer = Http2Server | Http2SecureServer;

/**
 * Caps connections, in all and of one certificate, widens the connection's window for uploads and reports refused handshakes. The library
 * offers no way to its listeners but a private map; without it the defaults stay, and a test notices.
 * Returns the number of listeners found.
 */
export function tuneListeners(server: Server, limits: ServerLimits, log: Log): number {
  const listeners: unknown = server['http2Servers'];
  if (!(listeners instanceof Map)) return 0;
  const refused = countRefused(log);
  const open = new Map<string, number>();
  for (const listener of listeners.keys() as Iterable<AnyServer>) {
    listener.maxConnections = limits.connections;
    listener.on('session', (session) => {
      session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
      capShare(session, open, Math.ceil(limits.connections / CONNECTION_SHARES));
    });
    listener.on('tlsClientError', refused);
  }
  return listeners.size;
}

/** Cuts a connection of a certificate that has its share already: one member must leave others some. */
function capShare(session: ServerHttp2Session, open: Map<string, number>, most: number): void {
  const { socket } = session;
  const holder = socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : undefined;
  if (holder === undefined) return;
  const held = open.get(holder) ?? 0;
  if (held >= most) {
    session.destroy();
    return;
  }
  open.set(holder, held + 1);
  session.once('close', () => {
    const left = (open.get(holder) ?? 1) - 1;
    if (left > 0) open.set(holder, left);
    else open.delete(holder);
  });
}

/** Logs refused handshakes, at most one line a second with their number, so that nobody fills the disk. */
function countRefused(log: Log): (error: Error) => void {
  let count = 0;
  let quietUntil = 0;
  return (error) => {
    count += 1;
    const now = performance.now();
    if (now < quietUntil) return;
    log.warn('tls.refused', { count, error });
    count = 0;
    quietUntil = now + REFUSED_EVERY_MS;
  };
}
