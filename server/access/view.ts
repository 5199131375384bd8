import type { MemberDirectory } from '../../sdk/core/index.js';
import type { Directory, MemberRecord } from './directory.js';

const PREFIX = 'members/';

/** A verified directory as access asks it: sets instead of lists, names without their prefix. */
export function directoryView(directory: MemberDirectory): Directory {
  const records = new Map<string, MemberRecord>();
  for (const [name, member] of directory.members) {
    const short = name.slice(PREFIX.length);
    records.set(short, {
      name: short,
      roles: new Set(member.roles),
      status: member.status,
      validFromMs: member.validFromMs,
      validUntilMs: member.validUntilMs,
      readableLists: new Set(member.readableLists),
      domains: new Set(member.domains),
    });
  }
  const { federation, version, expiresMs, development } = directory;
  return { federation, version, expiresMs, development, member: (name) => records.get(name) };
}
