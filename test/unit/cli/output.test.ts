import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  bytesText,
  count,
  Output,
  printable,
  stringify,
  table,
  timeText,
} from '../../../client/cli/index.js';

function collect() {
  const stream = new PassThrough();
  return { stream, text: () => (stream.read() as Buffer | null)?.toString('utf8') ?? '' };
}

describe('output', () => {
  it('prints one JSON object a result, and no remarks, with --json', () => {
    const [out, err] = [collect(), collect()];
    const output = new Output(true, out.stream, err.stream);
    output.say('hello');
    output.result({ a: 1 }, 'for people');
    output.warn('careful');
    output.progress('files').update(1, 2);
    expect(out.text()).toBe('{"a":1}\n');
    expect(err.text()).toBe('careful\n');
  });

  it('prints lines for people without', () => {
    const [out, err] = [collect(), collect()];
    const output = new Output(false, out.stream, err.stream);
    output.result({ a: 1 }, ['one', 'two']);
    const bar = output.progress('files');
    bar.update(1, 2);
    bar.stop();
    expect(out.text()).toBe('one\ntwo\n');
    expect(err.text()).toBe('');
  });

  it('writes bytes as hex and large integers without loss', () => {
    const value = { bytes: new Uint8Array([0, 255]), small: 7n, large: 2n ** 60n };
    expect(stringify(value)).toBe('{"bytes":"00ff","small":7,"large":"1152921504606846976"}');
  });

  it('lets no name move the cursor, begin a line or turn the reading direction', () => {
    const evil = 'a\u001b[2K\u009b1A\rb\n\u202egnp.exe\u007f é 🙂';
    const [out, err] = [collect(), collect()];
    const output = new Output(false, out.stream, err.stream);
    const shown = 'a\\u{1b}[2K\\u{9b}1A\\u{d}b\\u{a}\\u{202e}gnp.exe\\u{7f} é 🙂\n';
    output.say(evil);
    output.result({}, [evil]);
    output.warn(evil);
    expect(out.text()).toBe(shown + shown);
    expect(err.text()).toBe(shown);
    const json = stringify({ [evil]: evil });
    expect(JSON.parse(json)).toEqual({ [evil]: evil });
    expect(printable(json)).toBe(json);
  });

  it('hands other programs lines as they are, and a terminal never', () => {
    const [out, terminal] = [collect(), collect()];
    Object.assign(terminal.stream, { isTTY: true });
    for (const { stream } of [out, terminal])
      new Output(false, stream, stream).result({}, ['\u001b'], { verbatim: true });
    expect(out.text()).toBe('\u001b\n');
    expect(terminal.text()).toBe('\\u{1b}\n');
  });

  it('names what is no time', () => {
    expect([0, 9e15, Number.NaN].map(timeText)).toEqual(['1970-01-01T00:00:00.000Z', 'no time', 'no time']);
  });

  it('pads columns and leaves no blanks at the end of a line', () => {
    expect(
      table([
        ['a', 'long', ''],
        ['bbb', 'c', 'd'],
      ]),
    ).toEqual(['a    long', 'bbb  c     d']);
  });
});

describe('numbers for people', () => {
  it.each([
    [0, '0 files', '0 B'],
    [1, '1 file', '1 B'],
    [1204, '1,204 files', '1.2 kB'],
    [462_099_037, '462,099,037 files', '462.1 MB'],
    [7_200_000_000_000, '7,200,000,000,000 files', '7.2 TB'],
  ])('%d', (n, files, bytes) => {
    expect([count(n, 'file'), bytesText(n)]).toEqual([files, bytes]);
  });

  it('know plurals of their own', () => {
    expect([1, 2].map((n) => count(n, 'match', 'matches'))).toEqual(['1 match', '2 matches']);
  });
});

describe('progress on a terminal', () => {
  it('is wiped before a line is printed, and gone at the end', () => {
    const [out, err] = [collect(), collect()];
    const output = new Output(false, out.stream, Object.assign(err.stream, { isTTY: true }));
    const progress = output.progress('files');
    expect(err.text()).toBe('');
    progress.update(1, 4);
    expect(err.text()).toContain('files [');
    output.result({}, 'a line');
    expect([out.text(), err.text()]).toEqual(['a line\n', '\r\u001b[K']);
    progress.stop();
    output.result({}, 'another');
    expect(err.text()).not.toContain('\r\u001b[K');
  });
});
