import { fromUtf8, META_FIELD, metaValue, type RecordView, toHex } from './core/index.js';
import type { Candidate, ItemHash } from './match/index.js';
import type { MatchingList } from './matching-list.js';

/** A record that matched, as verdicts are decided on it. `siblings`: the item's hashes in the publisher's other lists. */
export function candidateOf(
  { origin, hashType, replica }: MatchingList,
  record: RecordView,
  siblings: readonly ItemHash[],
  nowMs: number,
): Candidate {
  const assessedBy = metaValue(record.meta, META_FIELD.ASSESSED_BY);
  const arrivedMs = replica.arrivedMs(record.addIndex);
  return {
    origin,
    hashType,
    addIndex: record.addIndex,
    itemId: toHex(record.itemId),
    scheme: record.scheme,
    code: record.code,
    verifications: record.verifications,
    listedMs: record.listedMs,
    ...(arrivedMs !== undefined && { arrivedMs }),
    ...(replica.state.isHeld(record.addIndex, nowMs) && { held: true }),
    ...(assessedBy !== undefined && { assessedBy: readDomain(assessedBy) }),
    siblings,
  };
}

/** Meta is the publisher's text: unreadable bytes are nobody's assessment. */
function readDomain(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes, 'meta');
  } catch {
    return '';
  }
}
