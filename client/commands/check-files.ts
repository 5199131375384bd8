import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorStatus } from '../../sdk/hash/index.js';
import type { Hashfed, Pipeline, Verdict } from '../../sdk/index.js';
import type { CliContext } from '../cli/index.js';
import { type Answer, refuseToHide, unhashed } from './check-shared.js';

/** Hashes and judges files one after another, by every type that the lists have. `dryRun`: nothing is journaled or counted. */
export async function checkFiles(
  context: CliContext,
  hashfed: Hashfed,
  files: readonly string[],
  dryRun: boolean,
): Promise<Answer[]> {
  await using pipeline = hashfed.pipeline({
    judge: (object, of) => hashfed.judgeObject(object, dryRun ? undefined : of),
    // Read in this thread: one file at a time needs no others.
    pace: () => {},
    workers: 1,
  });
  const answers: Answer[] = [];
  const progress = context.out.progress('files');
  try {
    for (const name of files) {
      answers.push(
        await checkFile(context, pipeline, name).then(
          (verdict) => ({ name, verdict }),
          (error: unknown) => ({ name, error: refuseToHide(error) }),
        ),
      );
      progress.update(answers.length, files.length);
    }
  } finally {
    progress.stop();
  }
  return answers;
}

/** A link that a person names is followed; its own name is the object's. */
async function checkFile({ signal }: CliContext, pipeline: Pipeline, name: string): Promise<Verdict> {
  const path = await realpath(name).catch((error: unknown) => {
    throw unhashed(name, errorStatus(error));
  });
  const outcome = await pipeline.checkFile(path, { ref: resolve(name), signal });
  if (outcome.status !== 'checked') throw unhashed(name, outcome);
  return outcome.verdict;
}
