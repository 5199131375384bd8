import { HashfedError } from '../core/index.js';

const ORIGIN =
  /^[a-z0-9.-]{1,64}\/[a-z0-9-]{1,32}\/(?:md5|sha1|sha256|pdq|photodna|events)\/g[1-9][0-9]{0,15}$/;

/** The directory of one origin generation. An origin holds no `_`, so the name is unambiguous and has no path in it. */
export function listDirectory(root: string, origin: string): string {
  if (origin.length > 128 || !ORIGIN.test(origin)) {
    throw new HashfedError('MALFORMED', 'origin: not a list of this format', { field: 'origin' });
  }
  return `${root}/lists/${origin.replaceAll('/', '_')}`;
}

/** The origin of a directory name; undefined for anything else that lies there. */
export function originOf(name: string): string | undefined {
  const origin = name.replaceAll('_', '/');
  return origin.length <= 128 && ORIGIN.test(origin) ? origin : undefined;
}
