import type { MemberRole } from '../../sdk/core/index.js';

/** Hash types of the exact lists that a development publisher gets. */
export const LIST_TYPES = ['md5', 'sha1', 'sha256'] as const;
export const COLLECTION = 'known';

export interface MemberOutline {
  readonly name: string;
  readonly displayName: string;
  readonly roles: readonly MemberRole[];
  /** Domain of its origins; publishers only. */
  readonly domain?: string;
}

/** The members of a development federation. */
export function outlineMembers(federation: string): MemberOutline[] {
  return [
    {
      name: 'operator',
      displayName: 'Operator (development)',
      roles: ['operator', 'publisher'],
      domain: federation,
    },
    { name: 'police', displayName: 'Police (example)', roles: ['publisher'], domain: 'police.example' },
    {
      name: 'hotline',
      displayName: 'Hotline (example)',
      roles: ['publisher', 'hotline'],
      domain: 'hotline.example',
    },
    { name: 'hoster-a', displayName: 'Hoster A (example)', roles: ['hoster'] },
    { name: 'hoster-b', displayName: 'Hoster B (example)', roles: ['hoster'] },
    { name: 'monitor', displayName: 'Monitor (example)', roles: ['monitor'] },
    { name: 'mirror', displayName: 'Mirror (example)', roles: ['mirror', 'witness'] },
  ];
}

/** Origins of the first generation that a publisher's development root names. */
export function originsOf(outline: MemberOutline): string[] {
  if (outline.domain === undefined) return [];
  if (outline.roles.includes('operator')) return [`${outline.domain}/selftest/sha256/g1`];
  return LIST_TYPES.map((type) => `${outline.domain}/${COLLECTION}/${type}/g1`);
}
