import type { Clock, Random, Suite } from '../../sdk/core/index.js';
import type { Log } from '../logging/index.js';
import type { Storage } from '../storage/index.js';

/** What the log engine reaches the world through. */
export interface LogDeps {
  readonly storage: Storage;
  readonly suite: Suite;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
