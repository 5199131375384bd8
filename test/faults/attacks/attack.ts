import { type ErrorCode, HashfedError } from '../../../sdk/core/index.js';
import type { World, WorldOptions } from '../../support/liar/index.js';
import type { MutationName } from './mutations.js';

/** One lie of one server, told to a real client. */
export interface Attack {
  readonly name: string;
  /** The one check that stands in its way: with it taken out the case fails. */
  readonly mutation: MutationName;
  readonly options?: WorldOptions;
  /** True where the client meets the lie before it ever synced. */
  readonly fresh?: boolean;
  /** Before the client's first sync. */
  readonly prepare?: (world: World) => unknown;
  readonly lie: (world: World) => unknown;
  /** What the client does then; by default it syncs. */
  readonly act?: (world: World) => unknown;
  /** What that must throw; without it, it must not throw. */
  readonly code?: ErrorCode;
  /** What must hold afterwards. */
  readonly holds?: (world: World) => unknown;
  /** `client`: mirrors ask for no such thing; they hold every entry and need neither proofs nor snapshots. */
  readonly only?: 'client';
  /** True where the client rightly takes over something. */
  readonly moves?: boolean;
  /** True where the list is over: its last good state stays, and nothing follows. */
  readonly ends?: boolean;
  /** True where the publisher adopts what the client took over, as after the theft of a key. */
  readonly adopts?: boolean;
  /** `cosigned`: what an honest server serves afterwards carries the witnesses' signatures. */
  readonly stays?: 'cosigned';
}

/** A lie told to one function of the core. */
export interface CoreAttack {
  readonly name: string;
  readonly mutation: MutationName;
  readonly core: () => unknown;
  readonly code: ErrorCode;
}

/** The code that was thrown. Anything but a HashfedError is a crash. */
export async function outcome(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    if (process.env['HASHFED_SHOW'] === '1') process.stderr.write(`${error.code}: ${error.message}\n`);
    return error.code;
  }
}
