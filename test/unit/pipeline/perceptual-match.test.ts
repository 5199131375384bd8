import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { judgeHashes, type Matcher } from '../../../sdk/check.js';
import { hashImage } from '../../../sdk/hash/pdq/index.js';
import { parsePolicy, squaredEuclidean } from '../../../sdk/match/index.js';
import { MatchingList } from '../../../sdk/matching-list.js';
import type { PipelineOptions } from '../../../sdk/pipeline/index.js';
import type { Changes, ListReplica } from '../../../sdk/sync/index.js';
import { BulkLog } from '../../support/sync/bulk-log.js';
import { IMAGES, makePipeline } from './parts.js';

const NOW = 1_800_000_000_000;
const NO_ROWS = new Uint32Array();

/** A list of these values, as the sync would hand it over. */
function makeList(type: 'pdq' | 'photodna', hashes: readonly Uint8Array[]) {
  const log = new BulkLog(`a.example/known/${type}/g1`, () => NOW - 1_000_000_000);
  log.publish(hashes.map((hash, i) => log.add('s', i, { hash })));
  const replica = {
    origin: log.state.origin,
    state: log.state,
    size: 0,
    arrivedMs: () => undefined,
  } as unknown as ListReplica;
  return { log, list: new MatchingList(replica, 'listed') };
}

function ask(list: MatchingList, policy: object = {}): Omit<Matcher, 'photodna'> {
  const deps = { clock: { nowMs: () => NOW, monotonicMs: () => 0 } };
  const waits = { probation_hours: 0, observe_hours: 0 };
  return {
    deps,
    book: {},
    lists: [list],
    policy: parsePolicy({ ...waits, ...policy }),
  } as unknown as Matcher;
}

async function pdqOf(name: string) {
  const image = await hashImage(readFileSync(join(IMAGES, name)));
  if (!image.ok) throw new Error(image.reason);
  return image.frames[0]!;
}

function flip(hash: Uint8Array, bits: number): Uint8Array {
  const out = hash.slice();
  for (let bit = 0; bit < bits; bit++) out[bit >> 3] = out[bit >> 3]! ^ (1 << (bit & 7));
  return out;
}

describe('a PDQ list', () => {
  it('holds what resembles, with distance and quality, and nothing beyond the policy', async () => {
    const { hash, quality } = await pdqOf('room-2.jpg');
    const { list } = makeList('pdq', [flip(hash, 12), flip(hash, 32)]);
    const values = { pdq: [{ hash, quality }], photodna: [] };
    const verdict = judgeHashes(ask(list), {}, values);
    expect(verdict).toMatchObject({ action: 'hold', because: ['stale'] });
    expect(verdict.matches.map(({ distance }) => distance)).toEqual([12]);
    expect(verdict.matches[0]?.quality).toBe(quality);
    const narrow = ask(list, { perceptual: { pdq_max_distance: 11 } });
    expect(judgeHashes(narrow, {}, values).action).toBe('none');
    const demanding = ask(list, { perceptual: { pdq_min_quality: quality + 1 } });
    expect(judgeHashes(demanding, {}, values).action).toBe('none');
  });

  it('gives each record once, at its smallest distance from any frame', async () => {
    const { hash } = await pdqOf('hills-1.png');
    const { list } = makeList('pdq', [hash]);
    const pdq = [5, 0, 9].map((bits) => ({ hash: flip(hash, bits), quality: 90 }));
    const { matches } = judgeHashes(ask(list), {}, { pdq, photodna: [] });
    expect(matches.map(({ distance }) => distance)).toEqual([0]);
  });

  it('follows updates: withdrawn values match no more, new ones do', async () => {
    const [first, second] = [(await pdqOf('page-5.png')).hash, (await pdqOf('room-3.png')).hash];
    const { log, list } = makeList('pdq', [first]);
    const row = log.state.rowByIndex(0)!;
    const index = log.size;
    log.publish([log.withdraw(0), log.add('t', 1, { hash: second })]);
    const added = Uint32Array.of(log.state.rowByIndex(index + 1)!);
    const changes: Changes = {
      origin: log.origin,
      rebuilt: false,
      added,
      removed: Uint32Array.of(row),
      withdrawn: [0],
    };
    await list.apply(changes);
    const actionOf = (hash: Uint8Array) =>
      judgeHashes(ask(list), {}, { pdq: [{ hash, quality: 90 }], photodna: [] }).action;
    expect(actionOf(first)).toBe('none');
    expect(actionOf(second)).toBe('hold');
    await list.apply({ ...changes, rebuilt: true, added: NO_ROWS, removed: NO_ROWS });
    expect(actionOf(second)).toBe('hold');
  });
});

describe('a copy that was turned', () => {
  const turned = (name: string) => sharp(join(IMAGES, name)).rotate(90).png().toBuffer();

  /** The actions on a picture's turned copy, by a pipeline with these options, and how many values it was judged by. */
  async function check(image: PipelineOptions['image'] = {}) {
    const { list } = makeList('pdq', [(await pdqOf('room-2.jpg')).hash]);
    const seen: number[] = [];
    const { pipeline } = makePipeline({
      image,
      judge: async ({ hashes, perceptual }) => {
        seen.push(perceptual?.pdq.length ?? 0);
        return judgeHashes(ask(list), hashes, perceptual);
      },
    });
    const actionOf = async (name: string) =>
      (await pipeline.checkBuffer(await turned(name), { ref: name })).verdict.action;
    return { actions: [await actionOf('room-2.jpg'), await actionOf('hills-1.png')], seen };
  }

  it('is found where that was asked for, and an other picture is not', async () => {
    expect(await check()).toEqual({ actions: ['none', 'none'], seen: [1, 1] });
    expect(await check({ dihedral: true })).toEqual({ actions: ['hold', 'none'], seen: [8, 8] });
  });

  it('counts eightfold towards the values of an object', () => {
    expect(() => makePipeline({ image: { dihedral: true, frames: 8 } })).not.toThrow();
    expect(() => makePipeline({ image: { dihedral: true, frames: 9 } })).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('image.frames') }),
    );
  });
});

describe('a PhotoDNA list', () => {
  const value = (fill: number) => new Uint8Array(144).fill(fill);
  const values = { pdq: [], photodna: [value(10)] };

  it('matches by the comparator that was handed in, and by none without', () => {
    const { list } = makeList('photodna', [value(11), value(90)]);
    expect(judgeHashes(ask(list), {}, values).action).toBe('none');
    const verdict = judgeHashes({ ...ask(list), photodna: squaredEuclidean(1_000) }, {}, values);
    expect(verdict).toMatchObject({ action: 'hold', matches: [{ distance: 144, hash_type: 'photodna' }] });
    const own = {
      maxDistance: 1,
      distance: (_query: Uint8Array, all: Uint8Array, at: number) => all[at]! - 90,
    };
    const other = judgeHashes({ ...ask(list), photodna: own }, {}, values);
    expect(other.matches).toHaveLength(2);
  });
});
