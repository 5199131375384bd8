import { createSecureContext } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, Client, credentials } from '@grpc/grpc-js';
import { HashfedError, MAX_MESSAGE_BYTES, malformed, type Random } from '../core/index.js';
import { identityFault } from './identity.js';
import {
  FAILURES_BEFORE_RENEWAL,
  FLOW_CONTROL_WINDOW_BYTES,
  KEEPALIVE_MS,
  KEEPALIVE_TIMEOUT_MS,
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
} from './limits.js';

/** Who we trust and who we are, as PEM. */
export interface TlsIdentity {
  /** Certificates of the CAs that may vouch for the server. */
  readonly ca: Uint8Array;
  /** Our certificate chain, leaf first. Absent only for enrolment, where the server alone is authenticated. */
  readonly certificate?: Uint8Array;
  /** Its private key; present exactly where `certificate` is. */
  readonly key?: Uint8Array;
}

/** How to reach one server. */
export interface ChannelConfig {
  /** `host:port`. */
  readonly address: string;
  /** `plaintext-loopback` is refused for any address that is not the loopback. */
  readonly tls: TlsIdentity | 'plaintext-loopback';
  /** Name that the server's certificate must carry, where it is not the address's host. */
  readonly serverName?: string;
  /** Draws the jitter between retries. */
  readonly random: Random;
}

/** One server as seen from here. All calls go through the functions of this folder, which take deadlines and caps. */
export class RpcChannel {
  readonly random: Random;
  readonly #connect: () => Client;
  #client: Client;
  #failures = 0;
  #closed = false;

  readonly #identity: TlsIdentity | undefined;

  constructor(connect: () => Client, random: Random, identity?: TlsIdentity) {
    this.#identity = identity;
    this.#connect = connect;
    this.#client = connect();
    this.random = random;
  }

  /** The client to make the next call with. Throws CANCELLED once closed. */
  client(): Client {
    if (this.#closed) throw new HashfedError('CANCELLED', 'the connection was closed by its owner');
    return this.#client;
  }

  /** Notes how a call ended; renews the connection after repeated transport failures. Running calls go on. */
  noteOutcome(transportFailed: boolean): void {
    this.#failures = transportFailed ? this.#failures + 1 : 0;
    if (this.#failures < FAILURES_BEFORE_RENEWAL || this.#closed) return;
    this.#failures = 0;
    this.#client.close();
    this.#client = this.#connect();
  }

  /** What is wrong with our own certificate, where that explains a connection that failed. */
  identityFault(told: string): HashfedError | undefined {
    return this.#identity === undefined ? undefined : identityFault(this.#identity, Date.now(), told);
  }

  /** Ends the connection; calls that wait for it fail. May be called twice. */
  close(): void {
    this.#closed = true;
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a channel; connecting happens with the first call. TLS is 1.3 only.
 * Throws MALFORMED for unreadable certificates or keys, USAGE for plaintext beyond the loopback.
 */
export function openChannel(config: ChannelConfig): RpcChannel {
  const identity = channelCredentials(config);
  const options = channelOptions(config);
  const own = config.tls === 'plaintext-loopback' ? undefined : config.tls;
  return new RpcChannel(() => new Client(config.address, identity, options), config.random, own);
}

function channelCredentials({ address, tls }: ChannelConfig): ChannelCredentials {
  if (tls === 'plaintext-loopback') {
    if (isLoopback(address)) return credentials.createInsecure();
    throw new HashfedError('USAGE', 'plaintext is allowed on the loopback only', { field: 'tls' });
  }
  if ((tls.certificate === undefined) !== (tls.key === undefined))
    malformed('tls', 'certificate and key go together');
  return credentials.createFromSecureContext(secureContext(tls));
}

function secureContext({ ca, certificate, key }: TlsIdentity) {
  const own =
    certificate === undefined || key === undefined ? {} : { cert: buffer(certificate), key: buffer(key) };
  try {
    return createSecureContext({ ca: buffer(ca), ...own, minVersion: 'TLSv1.3' });
  } catch (cause) {
    return malformed('tls', 'certificates or key cannot be read, or do not belong together', cause);
  }
}

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** True for `localhost`, 127.0.0.0/8 and ::1, with a port. */
export function isLoopback(address: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):\d{1,5}$/.test(address);
}

function channelOptions({ address, serverName }: ChannelConfig): ChannelOptions {
  const name = serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName };
  return {
    ...name,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MIN_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    // Retries are ours: bounded, jittered, and never after a part of a stream arrived.
    'grpc.enable_retries': 0,
    // The server must not choose how its own failures are retried.
    'grpc.service_config_disable_resolution': 1,
    // A renewed channel must not get the old connection from a shared pool.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': isLoopback(address) ? 0 : 1,
  };
}
