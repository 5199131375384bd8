import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Output, stringify, table } from '../../../client/cli/index.js';

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

  it('pads columns and leaves no blanks at the end of a line', () => {
    expect(
      table([
        ['a', 'long', ''],
        ['bbb', 'c', 'd'],
      ]),
    ).toEqual(['a    long', 'bbb  c     d']);
  });
});
