import type { RootBook, SyncDeps } from '../../sdk/sync/index.js';
import type { Engine } from '../log/index.js';
import type { Cosigner } from './cosigner.js';
import type { Equivocations } from './equivocations.js';
import type { CarriedStatements } from './statements.js';

/** What following upstreams needs. */
export interface Following {
  readonly engine: Engine;
  /** Its store is the server's: publisher roots only. */
  readonly deps: SyncDeps;
  readonly book: RootBook;
  readonly statements: CarriedStatements;
  readonly equivocations: Equivocations;
  /** The mirror's own key; undefined where it does not cosign. */
  readonly cosigner: Cosigner | undefined;
}

/** What one look at one list came to. */
export interface Followed {
  readonly origin: string;
  readonly from: number;
  readonly size: number;
  /** Upstreams that did not help: `code` of each. */
  readonly failures: readonly { readonly source: string; readonly code: string }[];
}
