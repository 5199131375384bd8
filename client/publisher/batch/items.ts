import {
  type AddLeaf,
  encodeMeta,
  HASH_TYPES,
  type HashType,
  META_FIELD,
  type Random,
  utf8,
} from '../../../sdk/core/index.js';
import type { ImportedItem } from '../import/index.js';

const ID_BYTES = 16;
const POOL_BYTES = 64 * 1024;

/** Random bytes drawn in large pieces: a blind and an id per row cost nothing then. */
export function pooledRandom(random: Random): Random {
  let pool = new Uint8Array(0);
  let at = 0;
  return {
    bytes(length) {
      if (length > POOL_BYTES) return random.bytes(length);
      if (at + length > pool.length) {
        pool = new Uint8Array(random.bytes(POOL_BYTES));
        at = 0;
      }
      at += length;
      return pool.slice(at - length, at);
    },
  };
}

/** One leaf per hash of an item, all under one item id, each with its own blind. */
export function* leavesOf(item: ImportedItem, random: Random): Generator<readonly [HashType, AddLeaf]> {
  const itemId = item.itemId ?? random.bytes(ID_BYTES);
  const meta = metaOf(item);
  for (const [type, hash] of item.hashes) {
    yield [
      type,
      {
        kind: 'add',
        timeMs: 0,
        readd: false,
        hashType: HASH_TYPES[type].number,
        scheme: item.scheme,
        code: item.code,
        verifications: item.verifications,
        itemId,
        blind: random.bytes(ID_BYTES),
        hash,
        meta,
      },
    ];
  }
}

function metaOf({ series, assessedBy, label }: ImportedItem): Uint8Array {
  const fields = [
    { field: META_FIELD.SERIES, text: series },
    { field: META_FIELD.ASSESSED_BY, text: assessedBy },
    { field: META_FIELD.LABEL, text: label },
  ];
  return encodeMeta(
    fields.flatMap(({ field, text }) => (text === undefined ? [] : [{ field, value: utf8(text) }])),
  );
}
