import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { packEvidenceFile, parseEvidenceFile } from '../../../client/commands/evidence-file.js';
import { fromHex, startRoot } from '../../../sdk/core/index.js';
import { verifyEquivocation } from '../../../sdk/sync/index.js';
import { suite } from './request-fixture.js';

const read = (name: string) => new Uint8Array(readFileSync(`test/fixtures/evidence/v1/${name}`));
const fingerprint = fromHex(Buffer.from(read('fingerprint')).toString().trim());

it('the committed evidence of format 1 verifies from a fingerprint alone', () => {
  const { evidence, roots } = parseEvidenceFile(read('fork.evidence'));
  const root = startRoot(suite, roots[0]!, fingerprint);
  expect(verifyEquivocation(suite, root, evidence).kind).toBe('notes');
});

it('the committed evidence from before there was a header goes on loading', () => {
  const { evidence, roots } = parseEvidenceFile(read('bare.evidence'));
  expect(roots).toEqual([]);
  const root = startRoot(suite, read('root-1.dsse'), fingerprint);
  expect(verifyEquivocation(suite, root, evidence).kind).toBe('notes');
  expect(packEvidenceFile(read('bare.evidence'), [read('root-1.dsse')])).toEqual(read('fork.evidence'));
});

it('evidence of a later format is refused as such, a cut one as malformed', () => {
  const bytes = read('fork.evidence');
  const later = bytes.slice();
  later[13] = 2;
  const refused = (given: Uint8Array) => () => parseEvidenceFile(given);
  expect(refused(later)).toThrow(expect.objectContaining({ code: 'UPGRADE_REQUIRED' }));
  expect(refused(bytes.subarray(0, -1))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
});
