import { checkTail, HashfedError, type StagedRange } from '../core/index.js';
import { type Offer, type OfferContext, settingsFor } from './offer.js';

/**
 * The limit for one key, counted by this client itself from its own anchor: a stolen sequencing key cannot empty or
 * flood a list, whatever the server says. Throws THRESHOLD_NOT_MET: another source may have the second signature.
 */
export function judgeTail(context: OfferContext, { checkpoint, anchor }: Offer, range: StagedRange): void {
  if (checkpoint.twoKey) return;
  const settings = settingsFor(context);
  const { origin } = checkpoint;
  if (anchor === undefined)
    throw new HashfedError('THRESHOLD_NOT_MET', 'no two keys ever signed a state of this list', { origin });
  try {
    checkTail(settings, range.countsSince(anchor.size));
  } catch (error) {
    if (!(error instanceof HashfedError) || error.code !== 'NOT_FOUND') throw error;
    throw new HashfedError('THRESHOLD_NOT_MET', 'the changes since the anchor cannot be counted from here', {
      origin,
      cause: error,
    });
  }
}
