import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  boxPublicKey,
  cosignedMessage,
  fromUtf8,
  limitFor,
  parseRoot,
  portableSha256,
  sealBox,
  utf8,
  verifyDsse,
} from '../../../sdk/core/index.js';
import {
  encodeFreshness,
  encodeRoot,
  FRESHNESS_KEY,
  freshnessMessage,
  ORIGIN,
  rootMessage,
  signBody,
  T0,
} from '../../support/trust/bodies.js';
import { suite } from '../../support/trust/keys.js';
import { smallOrderKeys } from '../../support/trust/make-ed25519.js';
import { hex, readVectors, unhex } from '../../support/trust/vectors.js';

const path = new URL('../../../docs/spec/signatures.md', import.meta.url);
const root = encodeRoot(rootMessage());
const body = encodeFreshness(freshnessMessage(portableSha256.digest(root)));
const counting = { bytes: (length: number) => Uint8Array.from({ length }, (_, i) => i + length) };
const secret = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const notes = readVectors<{ body: string; keys: string[]; valid: { note: string }[] }>('note/checkpoints');

const wrap = (bytes: Uint8Array): string =>
  hex(bytes)
    .match(/.{1,64}/g)!
    .join('\n');
const EXAMPLES: Record<string, string> = {
  'small-order': smallOrderKeys()
    .filter((_, i) => i % 2 === 0)
    .join('\n'),
  note: Buffer.from(notes.valid[1]!.note, 'base64').toString().trimEnd(),
  cosigned: fromUtf8(cosignedMessage(BigInt(T0 / 1000), utf8(notes.body))).trimEnd(),
  vkeys: notes.keys.slice(0, 2).join('\n'),
  'freshness-body': wrap(body),
  'freshness-envelope': wrap(signBody('freshness', body, FRESHNESS_KEY)),
  fingerprint: hex(portableSha256.digest(root)),
  'sealed-box': wrap(sealBox(counting, boxPublicKey(secret), utf8('https://host.example/file'))),
};
const BLOCK = /```(?:text|hex) (\S+)\n([\s\S]*?)\n```/g;

function read(): string {
  const text = readFileSync(path, 'utf8');
  if (process.env['UPDATE_VECTORS'] !== '1') return text;
  const made = text.replace(BLOCK, (block, name: string, old: string) =>
    block.replace(old, EXAMPLES[name] ?? old),
  );
  writeFileSync(path, made);
  return made;
}
const text = read();
const blocks = new Map([...text.matchAll(BLOCK)].map(([, name, content]) => [name!, content!]));

it('docs/spec/signatures.md has every example and no other', () => {
  expect([...blocks.keys()].sort()).toEqual(Object.keys(EXAMPLES).sort());
});

it.each(Object.keys(EXAMPLES))('example %s is what the code makes', (name) => {
  expect(blocks.get(name)).toBe(EXAMPLES[name]);
});

it('the envelope in the text verifies to the body in the text', () => {
  const bytes = (name: string): Uint8Array => unhex(blocks.get(name)!.replaceAll('\n', ''));
  const rule = { keys: [FRESHNESS_KEY.publicKey], threshold: 1 };
  expect(verifyDsse(suite, 'freshness', bytes('freshness-envelope'), rule)).toEqual(bytes('freshness-body'));
});

it('the table of limits is right', () => {
  const settings = parseRoot(portableSha256, root).origins.get(ORIGIN)!;
  const rows = [...text.matchAll(/^\| ([\d,]+) \| ([\d,]+) \|$/gm)];
  expect(rows).toHaveLength(4);
  const number = (cell: string): number => Number(cell.replaceAll(',', ''));
  for (const [, count, limit] of rows) expect(limitFor(settings, number(count!))).toBe(number(limit!));
});
