import { Purpose } from '../../proto/gen/hashfed/v1/enums.js';
import type { PurposeName } from '../../sdk/core/index.js';

/** What the publisher root says a list is for, as the wire writes it. */
export const PURPOSES: Record<PurposeName, Purpose> = {
  listed: Purpose.LISTED,
  'known-good': Purpose.KNOWN_GOOD,
  test: Purpose.TEST,
  events: Purpose.EVENTS,
};
