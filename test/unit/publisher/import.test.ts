import { describe, expect, it } from 'vitest';
import { csvImporter, type ImportEvent, parseImportMap } from '../../../client/publisher/import/index.js';

const MAP = parseImportMap(
  JSON.stringify({
    format: 1,
    columns: {
      md5: 'MD5',
      sha256: 'SHA-256',
      classification: 'Category',
      verifications: 'Seen by',
      item_id: 'ID',
      label: 'Label',
    },
    classifications: { Baseline: { scheme: 1, code: 1 } },
  }),
  'map',
);
const HEAD = 'ID,MD5,SHA-256,Category,Seen by,Label,Other\n';
const sha = 'ab'.repeat(32);

async function read(text: string, pieces: readonly (string | Uint8Array)[] = [text]): Promise<ImportEvent[]> {
  async function* source() {
    for (const piece of pieces) yield Buffer.from(piece);
  }
  const events: ImportEvent[] = [];
  for await (const event of csvImporter(MAP).read(source())) events.push(event);
  return events;
}

describe('CSV import', () => {
  it('reads one item with hashes of two types', async () => {
    const [event] = await read(
      `${HEAD}00112233445566778899aabbccddeeff,${'cd'.repeat(16)},${sha},Baseline,2,"a, b",x\n`,
    );
    if (event?.kind !== 'item') throw new Error('expected an item');
    expect([...event.item.hashes.keys()]).toEqual(['md5', 'sha256']);
    expect(event.item).toMatchObject({ line: 2, scheme: 1, code: 1, verifications: 2, label: 'a, b' });
    expect(event.item.itemId).toHaveLength(16);
  });

  it.each([
    ['a short hash', `,,${sha.slice(2)},Baseline,0,,`, 'SHA-256', '62 hexadecimal digits'],
    ['a hash that is no hex', `,,${'zz'.repeat(32)},Baseline,0,,`, 'SHA-256', 'not 64 hexadecimal digits'],
    ['no hash at all', ',,,Baseline,0,,', '(hash columns)', 'no hash'],
    ['an unmapped classification', `,,${sha},Unknown,0,,`, 'Category', 'does not name'],
    ['a classification named like a built-in', `,,${sha},constructor,0,,`, 'Category', 'does not name'],
    ['verifications in words', `,,${sha},Baseline,two,,`, 'Seen by', 'whole number'],
    ['a long label', `,,${sha},Baseline,0,${'é'.repeat(33)},`, 'Label', '64 bytes'],
  ])('refuses %s, naming line and column', async (_name, row, field, reason) => {
    const [event] = await read(`${HEAD}${row}\n`);
    if (event?.kind !== 'refused') throw new Error('expected a refusal');
    expect(event.row).toMatchObject({ line: 2, field });
    expect(event.row.reason).toContain(reason);
    expect(event.row.cells['Category']).toBeDefined();
  });

  it('refuses a heading without a mapped column', async () => {
    await expect(read('MD5,Category\n')).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  it('refuses a broken quote as malformed', async () => {
    await expect(read(`${HEAD}"${sha}`)).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  it('reads the same however the bytes are cut', async () => {
    const text = `\ufeff${HEAD}${Array.from({ length: 20 }, () => `,,${sha},Baseline,1,é,`).join('\r\n')}`;
    const whole = await read(text);
    expect(whole).toHaveLength(20);
    expect(await read(text, [text.slice(0, 50), text.slice(50)])).toEqual(whole);
  });
});

describe('CSV import of what a full parser reads', () => {
  const row = `,,${sha},Baseline,1,é,`;
  const bad = ',,zz,Baseline,1,,';
  const quoted = `,,${sha},Baseline,1,"a ""b"",\nc",`;
  const heading = HEAD.trimEnd();
  /** The parser counts two lines at each line end of the other kind. */
  const MIXED = 'mixed line ends';
  const withoutLine = (event: ImportEvent) =>
    event.kind === 'item' ? { ...event.item, line: 0 } : { ...event.row, line: 0 };
  const texts: [string, string][] = [
    ['plain lines', [heading, row, bad, row, ''].join('\n')],
    ['no line end at the end', [heading, row, bad].join('\n')],
    ['empty lines', [heading, '', row, '', '', bad, '', ''].join('\n')],
    ['blanks in a line', [heading, ' ', row, ''].join('\n')],
    ['other line ends', [heading, row, '', bad, quoted, '', bad, ''].join('\r\n')],
    [MIXED, `${heading}\n${row}\r\n\r\n${bad}\n${quoted}\r\n${bad}`],
    ['a bare line feed between others', `${heading}\r\n${row}\r\n${bad}\n${row}\r\n${bad}`],
    ['carriage returns alone', [heading, row, bad, quoted, row].join('\r')],
    ['a quoted heading', `"ID"${heading.slice(2)}\n${row}\n${bad}`],
    ['an empty line first', `\n${heading}\n${row}\n${bad}\n`],
    ['a mark of byte order', `\ufeff${heading}\n${row}\n${quoted}\n${bad}`],
    ['a quote later', [heading, row, '', bad, quoted, bad, '', row, quoted, ''].join('\n')],
    ['more and fewer cells', [heading, `${row},x,y`, ',,', `${sha}`, quoted, `${row},z`, ',', ''].join('\n')],
    ['a heading alone', heading],
    ['a heading and its end', `${heading}\n`],
    ['bytes that are no text', `${heading}\n${row}\xff\n`],
  ];

  it.each(texts)('takes %s the same, however the bytes are cut', async (name, text) => {
    // A quoted heading leaves everything to the parser.
    const quotedHeading = text.replace('SHA-256', '"SHA-256"');
    const parsed = await read(quotedHeading);
    const whole = await read(text);
    if (name === MIXED) expect(whole.map(withoutLine)).toEqual(parsed.map(withoutLine));
    else expect(whole).toEqual(parsed);
    for (const cut of [1, 7, 64]) {
      const bytes = Buffer.from(text);
      const pieces = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, i) =>
        bytes.subarray(cut * i, cut * (i + 1)),
      );
      expect(await read(text, pieces)).toEqual(whole);
    }
  });

  it('names the line of a broken quote', async () => {
    const text = [heading, row, row, `,,${sha},Baseline,1,a"b,`, ''].join('\n');
    await expect(read(text)).rejects.toThrow('line 4: not readable as CSV');
  });

  it('refuses a line without end', async () => {
    const text = `${heading}\n${row}\n${'x'.repeat(3 * 1024 * 1024)}`;
    const pieces = [text.slice(0, 100_000), text.slice(100_000, 1_500_000), text.slice(1_500_000)];
    await expect(read(text, pieces)).rejects.toThrow('line 3: not readable as CSV');
  });
});

describe('import map', () => {
  it.each([
    ['a wildcard', { classifications: { '*': { scheme: 1, code: 1 } } }, 'wildcard'],
    ['no classification', { classifications: {} }, 'empty'],
    ['scheme 0', { classifications: { A: { scheme: 0, code: 1 } } }, 'scheme'],
    ['no hash column', { columns: { classification: 'C' } }, 'hash column'],
    ['an unknown field', { typo: 1 }, 'typo'],
  ])('refuses %s', (_name, change, message) => {
    const base = {
      format: 1,
      columns: { md5: 'M', classification: 'C' },
      classifications: { A: { scheme: 1, code: 1 } },
    };
    expect(() => parseImportMap(JSON.stringify({ ...base, ...change }), 'map')).toThrow(message);
  });
});
