import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline as pump } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { hashImage } from '../../../sdk/hash/pdq/index.js';
import type { ManyResult } from '../../../sdk/pipeline/index.js';
import { IMAGES, makePipeline } from './parts.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
const names = readdirSync(IMAGES).filter((name) => /\.(jpg|png|gif|webp|tif|avif)$/.test(name));
const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });

describe('one object', () => {
  const { pipeline, judged } = makePipeline();

  it.each(['room-2.jpg', 'hills-1.png', 'hills-5.avif'])(
    'gives the same hashes for file, bytes and stream: %s',
    async (name) => {
      const path = join(IMAGES, name);
      const bytes = readFileSync(path);
      const expected = await hashImage(bytes);
      judged.length = 0;
      await pipeline.checkFile(path, { ref: 'file' });
      await pipeline.checkBuffer(bytes, { ref: 'bytes' });
      const stream = pipeline.checkStream({ ref: 'stream' });
      const parts = [bytes.subarray(0, 7), bytes.subarray(7, 5_000), bytes.subarray(5_000)];
      await pump(Readable.from(parts), stream, sink());
      expect((await stream.verdict).action).toBe('none');
      expect(judged.map(({ options }) => options.ref)).toEqual(['file', 'bytes', 'stream']);
      for (const { object } of judged) {
        expect(hex(object.hashes.sha256)).toBe(sha256(bytes));
        expect(object.bytes).toBe(bytes.length);
        expect(object.perceptual?.undecoded).toBeUndefined();
        expect(expected.ok && hex(expected.frames[0]?.hash)).toBe(hex(object.perceptual?.pdq[0]?.hash));
      }
    },
  );

  it('passes a stream on byte for byte', async () => {
    const bytes = randomBytes(300_000);
    const seen: Buffer[] = [];
    const stream = pipeline.checkStream({ ref: 'x' });
    const target = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        seen.push(Buffer.from(chunk));
        done();
      },
    });
    await pump(Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]), stream, target);
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
  });

  it('computes nothing perceptual where nobody asks', async () => {
    const exact = makePipeline({ wanted: () => ({ pdq: false, photodna: false }) });
    await exact.pipeline.checkFile(join(IMAGES, 'room-2.jpg'), { ref: 'x' });
    expect(exact.judged[0]?.object.perceptual).toBeUndefined();
  });
});

describe('many objects', () => {
  it('answers every one, files and bytes, once', async () => {
    const { pipeline } = makePipeline();
    const inputs = names.flatMap((name) => [
      { ref: `f ${name}`, input: join(IMAGES, name) },
      { ref: `b ${name}`, input: readFileSync(join(IMAGES, name)) },
    ]);
    const results: ManyResult[] = [];
    for await (const result of pipeline.checkMany(inputs, { concurrency: 7 })) results.push(result);
    expect(results.map(({ ref }) => ref).sort()).toEqual(inputs.map(({ ref }) => ref).sort());
    expect(new Set(results.map(({ outcome }) => outcome.status))).toEqual(new Set(['checked']));
  });

  it('draws inputs no faster than results are taken', async () => {
    const { pipeline } = makePipeline({ wanted: () => ({ pdq: false, photodna: false }) });
    let drawn = 0;
    function* endless() {
      for (;;) yield { ref: String(drawn++), input: new Uint8Array([1]) };
    }
    let taken = 0;
    for await (const _ of pipeline.checkMany(endless(), { concurrency: 4 })) if (++taken === 50) break;
    expect(drawn).toBeLessThanOrEqual(50 + 2 * 4);
  });

  it('names an object that could not be judged and goes on', async () => {
    const { pipeline } = makePipeline({
      judge: async (_object, { ref }) => {
        if (ref === '1') throw new Error('the journal is full');
        return { action: 'none', matches: [], freshness: 'FRESH', because: [] };
      },
    });
    const inputs = ['0', '1', '2'].map((ref) => ({ ref, input: new Uint8Array([1, 2, 3]) }));
    const status = new Map<string, string>();
    for await (const { ref, outcome } of pipeline.checkMany(inputs)) status.set(ref, outcome.status);
    expect([...status].sort()).toEqual([
      ['0', 'checked'],
      ['1', 'failed'],
      ['2', 'checked'],
    ]);
  });

  it('ends with CANCELLED', async () => {
    const { pipeline } = makePipeline();
    const stop = new AbortController();
    const run = async () => {
      const inputs = [{ ref: 'a', input: join(IMAGES, names[0]!) }];
      stop.abort();
      for await (const _ of pipeline.checkMany(inputs, { signal: stop.signal })) expect.unreachable();
    };
    await expect(run()).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
