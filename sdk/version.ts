import { readFileSync } from 'node:fs';

/** The package file lies one folder above the sources, and two above what is built from them. */
const PLACES = ['../package.json', '../../package.json'];

function readVersion(): string {
  for (const place of PLACES) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'));
      if (name === 'hashfed' && typeof version === 'string') return version;
    } catch {
      // Not there: the next place.
    }
  }
  return 'unknown';
}

/** Version of this package, as servers are told. */
export const VERSION = readVersion();
