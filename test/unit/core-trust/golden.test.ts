import { expect, it } from 'vitest';
import { makeDirectory } from '../../support/trust/make-directory.js';
import { makeDsse } from '../../support/trust/make-dsse.js';
import { makeEd25519 } from '../../support/trust/make-ed25519.js';
import { makeMerkle } from '../../support/trust/make-merkle.js';
import { makeNote } from '../../support/trust/make-note.js';
import { makeRoot } from '../../support/trust/make-root.js';
import { makeStatements } from '../../support/trust/make-statements.js';
import { goldenText } from '../../support/trust/vectors.js';

const FILES: [string, () => unknown][] = [
  ['merkle/rfc6962', makeMerkle],
  ['ed25519/strict', makeEd25519],
  ['note/checkpoints', makeNote],
  ['dsse/envelopes', makeDsse],
  ['root/roots', makeRoot],
  ['directory/directories', makeDirectory],
  ['statements/statements', makeStatements],
];

it.each(FILES)('test/vectors/%s.json is what the code makes', (name, make) => {
  const { made, committed } = goldenText(name, make());
  expect(made).toBe(committed);
});
