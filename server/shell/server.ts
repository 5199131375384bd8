import { logVerbosity, Server, type ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { type Clock, HashfedError } from '../../sdk/core/index.js';
import { type Audit, type DirectoryHolder, noAudit } from '../access/index.js';
import { isLoopback, type ServerLimits, splitAddress } from '../config/index.js';
import type { Log } from '../logging/index.js';
import { Admission } from './admission.js';
import { MutualTls, Plaintext } from './credentials.js';
import type { Shell } from './dispatch.js';
import { stopGracefully } from './drain.js';
import { gate } from './gate.js';
import { Health } from './health.js';
import { identifyByCertificate, identifyByName } from './identify.js';
import type { BoundService } from './methods.js';
import { grpcOptions, http2Options, tuneListeners } from './options.js';
import { register, routesOf } from './register.js';
import { CertificateReloader, readMaterial, type TlsFiles } from './reload.js';

/** How peers reach the server: mutual TLS, or plaintext on loopback for development. */
export type Transport =
  | { readonly kind: 'tls'; readonly files: TlsFiles; readonly reloadMs: number }
  | { readonly kind: 'plaintext-loopback' };

export interface ShellOptions {
  /** `host:port`, IPv6 in brackets; port 0 for any free one. */
  readonly listen: string;
  readonly federation: string;
  readonly transport: Transport;
  readonly limits: ServerLimits;
  readonly services: readonly BoundService[];
  readonly directory: DirectoryHolder;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit?: Audit;
}

/** A server that listens. It answers UNAVAILABLE until `setReady(true)`. */
export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** `HOST:PORT`, as printed. */
  readonly address: string;
  /** Calls whose handlers have not ended. */
  readonly inFlight: number;
  setReady(ready: boolean): void;
  /** Looks for new certificates now; true where new ones are in use. */
  reloadCertificates(): Promise<boolean>;
  /** Refuses new calls, lets those in flight finish for `drain_ms`, then ends them. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Binds the server. Throws USAGE for unusable certificates, an address in use, plaintext off loopback or in
 * a federation that is not a development one.
 */
export async function startServer(options: ShellOptions): Promise<RunningServer> {
  const { host, port } = splitAddress(options.listen);
  const { limits, log } = options;
  // The library's own log goes to stderr and knows nothing of what must not be logged.
  setLogVerbosity(logVerbosity.NONE);
  const { credentials, reloader } = await prepareTransport(options, host);
  let ready = false;
  const shell: Shell = {
    clock: options.clock,
    log,
    audit: options.audit ?? noAudit,
    directory: options.directory,
    admission: new Admission(limits.calls, limits.calls_per_member),
    open: new Set(),
    identify:
      reloader === undefined
        ? identifyByName(options.federation)
        : identifyByCertificate(options.federation, options.clock),
    ready: () => ready,
  };
  const routes = routesOf(options.services, limits);
  const server = new Server({ ...grpcOptions(limits), interceptors: [gate(shell, routes, limits)] });
  const health = new Health(options.services.map(nameOf));
  health.addTo(server);
  for (const service of options.services) register(server, shell, service, routes);
  const bound = await bindPort(server, host, port, credentials).catch((error: unknown) => {
    reloader?.stop();
    throw error;
  });
  tuneListeners(server, limits, log);
  const unsubscribe = endCallsOfTheRevoked(shell);
  const setReady = (next: boolean): void => {
    ready = next;
    health.set(next ? 'SERVING' : 'NOT_SERVING');
  };
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    setReady(false);
    reloader?.stop();
    unsubscribe();
    await stopGracefully(server, shell, health, limits.drain_ms);
  };
  return {
    host,
    port: bound,
    address: `${host.includes(':') ? `[${host}]` : host}:${bound}`,
    get inFlight() {
      return shell.admission.inFlight;
    },
    setReady,
    reloadCertificates: async () => (await reloader?.reload()) ?? false,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

interface Prepared {
  readonly credentials: ServerCredentials;
  readonly reloader: CertificateReloader | undefined;
}

async function prepareTransport(options: ShellOptions, host: string): Promise<Prepared> {
  const { transport, directory, clock, log, limits } = options;
  if (transport.kind === 'plaintext-loopback') {
    if (!isLoopback(host)) throw usage('listen', 'plaintext is served on 127.0.0.1 or [::1] only');
    if (!directory.current.development) throw usage('plaintext_loopback', 'needs a development federation');
    log.warn('tls.off');
    return { credentials: new Plaintext(), reloader: undefined };
  }
  const nowMs = (): number => clock.nowMs();
  const material = await readMaterial(transport.files, nowMs());
  const credentials = new MutualTls(material, http2Options(limits));
  const reloader = new CertificateReloader(transport.files, credentials, material, nowMs, log);
  reloader.start(transport.reloadMs);
  return { credentials, reloader };
}

function bindPort(
  server: Server,
  host: string,
  port: number,
  credentials: ServerCredentials,
): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else
        reject(
          new HashfedError('USAGE', `listen: cannot listen on ${address}`, { field: 'listen', cause: error }),
        );
    });
  });
}

/** A directory that takes a caller's right away ends its calls at once, also those that say nothing more. */
function endCallsOfTheRevoked(shell: Shell): () => void {
  return shell.directory.onReplaced(() => {
    for (const call of shell.open) call.recheck();
  });
}

/** `hashfed.v1.ListService` of a generated service, from the path of its first method. */
function nameOf(bound: BoundService): string {
  const [first] = Object.values(bound.service);
  return first?.path.split('/')[1] ?? '';
}

function usage(field: string, why: string): HashfedError {
  return new HashfedError('USAGE', `${field}: ${why}`, { field });
}
