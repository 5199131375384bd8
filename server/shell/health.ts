import type { Server, ServerWritableStream, sendUnaryData, UntypedHandleCall } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { HealthImplementation, type service as healthService } from 'grpc-health-check';

type Serving = 'SERVING' | 'NOT_SERVING';
type WatchCall = ServerWritableStream<{ service: string }, unknown>;
type Implementation = Record<string, UntypedHandleCall>;

/** Health watches at once; each holds a stream for as long as its client likes. */
const MAX_WATCHES = 200;

/**
 * `grpc.health.v1`: '' for the server, and each of its services. Names that it does not serve are refused
 * before the library remembers them, and its open watches end when the server stops.
 */
export class Health {
  readonly #library: HealthImplementation;
  readonly #names: ReadonlySet<string>;
  readonly #watches = new Set<WatchCall>();

  constructor(services: readonly string[]) {
    this.#names = new Set(['', ...services]);
    this.#library = new HealthImplementation();
    this.set('NOT_SERVING');
  }

  set(state: Serving): void {
    for (const name of this.#names) this.#library.setStatus(name, state);
  }

  addTo(server: Server): void {
    this.#library.addToServer({
      addService: (definition, implementation) => {
        const guarded = this.#guard(implementation as Implementation);
        server.addService(definition as typeof healthService, guarded);
      },
    });
  }

  /** Ends every watch; their clients have been told NOT_SERVING. */
  endWatches(): void {
    for (const call of this.#watches) call.end();
  }

  #guard(inner: Implementation): Implementation {
    const check = (call: { request: { service: string } }, respond: sendUnaryData<unknown>): void => {
      if (this.#names.has(call.request.service))
        (inner['check'] as (...args: unknown[]) => void)(call, respond);
      else respond({ code: status.NOT_FOUND, details: 'no such service' });
    };
    const watch = (call: WatchCall): void => {
      const refusal = this.#refuseWatch(call.request.service);
      if (refusal !== undefined) {
        call.emit('error', refusal);
        return;
      }
      this.#watches.add(call);
      call.once('cancelled', () => this.#watches.delete(call));
      (inner['watch'] as (call: WatchCall) => void)(call);
    };
    return { ...inner, check, watch } as Implementation;
  }

  #refuseWatch(name: string): { code: number; details: string } | undefined {
    if (!this.#names.has(name)) return { code: status.NOT_FOUND, details: 'no such service' };
    if (this.#watches.size >= MAX_WATCHES)
      return { code: status.RESOURCE_EXHAUSTED, details: 'too many watches' };
    return undefined;
  }
}
