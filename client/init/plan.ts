import { HASH_TYPES, type HashType, type MemberRole } from '../../sdk/core/index.js';

/** Hash types of the exact lists that a development publisher gets. */
export const LIST_TYPES = ['md5', 'sha1', 'sha256'] as const;
export const COLLECTION = 'known';

/** A list of the first generation that a publisher's development root names. */
export interface ListOutline {
  readonly origin: string;
  readonly purpose: 'listed' | 'known-good' | 'test';
}

export interface MemberOutline {
  readonly name: string;
  readonly displayName: string;
  readonly roles: readonly MemberRole[];
  /** Domain of its origins; publishers only. */
  readonly domain?: string;
  readonly lists: readonly ListOutline[];
}

/** The members of a development federation; `allLists`: perceptual lists and one of known-good files too. */
export function outlineMembers(federation: string, allLists: boolean): MemberOutline[] {
  const types = allLists ? (Object.keys(HASH_TYPES) as HashType[]) : LIST_TYPES;
  const listed = (domain: string) =>
    types.map((type) => ({ origin: `${domain}/${COLLECTION}/${type}/g1`, purpose: 'listed' as const }));
  const good = { origin: 'hotline.example/good/sha256/g1', purpose: 'known-good' } as const;
  const selftest = { origin: `${federation}/selftest/sha256/g1`, purpose: 'test' } as const;
  return [
    {
      name: 'operator',
      displayName: 'Operator (development)',
      roles: ['operator', 'publisher'],
      domain: federation,
      lists: [selftest],
    },
    {
      name: 'police',
      displayName: 'Police (example)',
      roles: ['publisher'],
      domain: 'police.example',
      lists: listed('police.example'),
    },
    {
      name: 'hotline',
      displayName: 'Hotline (example)',
      roles: ['publisher', 'hotline'],
      domain: 'hotline.example',
      lists: [...listed('hotline.example'), ...(allLists ? [good] : [])],
    },
    { name: 'hoster-a', displayName: 'Hoster A (example)', roles: ['hoster'], lists: [] },
    { name: 'hoster-b', displayName: 'Hoster B (example)', roles: ['hoster'], lists: [] },
    { name: 'monitor', displayName: 'Monitor (example)', roles: ['monitor'], lists: [] },
    { name: 'mirror', displayName: 'Mirror (example)', roles: ['mirror', 'witness'], lists: [] },
  ];
}
