import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { DEFAULT_POLICY, decide, type Verdict } from '../../../sdk/match/index.js';
import {
  type ObjectHashes,
  type ObjectOptions,
  Pipeline,
  type PipelineOptions,
} from '../../../sdk/pipeline/index.js';

const dist = (path: string) => new URL(`../../../dist/sdk/${path}`, import.meta.url);

export const IMAGES = new URL('../../fixtures/images/', import.meta.url).pathname;

/** A verdict as the facade gives it without any list. */
export function emptyVerdict({ perceptual }: ObjectHashes): Verdict {
  const undecodable = perceptual?.undecoded !== undefined && { perceptual: 'undecodable' as const };
  return decide({ matches: [], computed: {}, lists: [], policy: DEFAULT_POLICY, now: 0, ...undecodable });
}

/** A pipeline whose judge remembers what it was asked. */
export function makePipeline(options: Partial<PipelineOptions> = {}) {
  const judged: { object: ObjectHashes; options: ObjectOptions }[] = [];
  const pipeline = new Pipeline({
    fileWorkers: 2,
    workers: 1,
    script: dist('hash/pdq/worker.js'),
    fileScript: dist('pipeline/file-worker.js'),
    wanted: () => ({ pdq: true, photodna: false }),
    judge: async (object, asked) => {
      judged.push({ object, options: asked });
      return emptyVerdict(object);
    },
    ...options,
  });
  afterAll(() => pipeline.close());
  return { pipeline, judged };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hashfed-pipeline-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
