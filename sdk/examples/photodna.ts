/**
 * PhotoDNA is licensed: its algorithm is not in this package. A licensee hands in a hasher and a threshold; values are 144
 * opaque bytes. Usage: node photodna.js /path/to/licensed-program FILE…
 */

import { hasherFromCommand, open, type PhotoDnaHasher, squaredEuclidean } from '../index.js';

const [program, ...files] = process.argv.slice(2);
if (program === undefined || files.length === 0) throw new Error('usage: photodna.js PROGRAM FILE…');

/** The licensed library in a program of its own, so that whatever it does it does outside this process. */
const hasher: PhotoDnaHasher = hasherFromCommand({ command: program, timeoutMs: 10_000 });

/** The threshold is the licensee's to choose. Another measure goes in as `{ maxDistance, distance }`. */
const comparator = squaredEuclidean(50_000);

const hashfed = await open({ config: 'hashfed.json', photodna: { hasher, comparator } });
for (const file of files) {
  const { action, matches, perceptual } = await hashfed.check(file, { ref: file });
  const closest = Math.min(...matches.map(({ distance }) => distance ?? Number.POSITIVE_INFINITY));
  console.log(action, file, perceptual ?? '', Number.isFinite(closest) ? `distance ${closest}` : '');
}
await hashfed.close();
