/** Puts the shared repositories on a kernel: all that a new backend needs besides its kernel. */
import { Checker } from './check.js';
import type { StorageDeps } from './deps.js';
import { DocumentRepository } from './documents.js';
import { LogRepository } from './log/index.js';
import { BudgetRepository, SyncStateRepository } from './members.js';
import { PartsRepository } from './parts.js';
import { PreparedRepository } from './prepared.js';
import { TelemetryRepository } from './telemetry.js';
import type { CheckOptions, CheckReport, Storage } from './types.js';

class KernelStorage implements Storage {
  readonly #deps: StorageDeps;
  readonly logs: LogRepository;
  readonly prepared: PreparedRepository;
  readonly documents: DocumentRepository;
  readonly telemetry: TelemetryRepository;
  readonly syncStates: SyncStateRepository;
  readonly budgets: BudgetRepository;
  readonly parts: PartsRepository;

  constructor(deps: StorageDeps) {
    this.#deps = deps;
    this.logs = new LogRepository(deps);
    this.prepared = new PreparedRepository(deps, this.logs.reader);
    this.documents = new DocumentRepository(deps.kernel);
    this.telemetry = new TelemetryRepository(deps.kernel);
    this.syncStates = new SyncStateRepository(deps.kernel);
    this.budgets = new BudgetRepository(deps.kernel);
    this.parts = new PartsRepository(deps);
  }

  get failure(): Error | undefined {
    return this.#deps.kernel.failure;
  }

  check(options: CheckOptions): Promise<CheckReport> {
    return new Checker(this.#deps, this.logs, options).run();
  }

  close(): Promise<void> {
    return this.#deps.kernel.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export function createStorage(deps: StorageDeps): Storage {
  return new KernelStorage(deps);
}
