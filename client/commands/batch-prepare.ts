import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { toHex } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { action, type CliContext, EXIT } from '../cli/index.js';
import { codeOf, type PrepareOutcome, prepareForSigning } from '../publisher/index.js';
import { openStation } from './publisher-shared.js';

interface Options {
  readonly out?: string;
  readonly readd?: boolean;
}

export function registerPrepare(batch: Command): void {
  batch
    .command('prepare')
    .argument('<batch>', 'the batch file')
    .description('verify our lists, have the server prepare the batch, write one signing request a key')
    .option('--out <dir>', "where the requests go (default: the batch's folder)")
    .option('--readd', 'list again what was withdrawn as wrong or not illegal; needs two keys')
    .addHelpText('after', '\nExample:\n  hashfed batch prepare cases.hfbatch --out /media/stick')
    .action(
      action<Options>(async (context, options, [file = '']) => {
        const batchFile = resolve(file);
        const outcome = await prepare(context, batchFile, options);
        const code = codeOf(platformSuite(), outcome.requests[0]!.request);
        context.out.result(toJson(outcome, code), toLines(outcome, code));
        return EXIT.done;
      }),
    );
}

async function prepare(
  context: CliContext,
  batchFile: string,
  { out, readd = false }: Options,
): Promise<PrepareOutcome> {
  const folder = resolve(out ?? dirname(batchFile));
  const station = await openStation(context);
  const pulling = context.out.progress('own lists');
  const uploading = context.out.progress('upload');
  try {
    const progress = { onPull: pulling.update, onUpload: uploading.update };
    return await prepareForSigning(station, { batchFile, folder, readd, ...progress });
  } finally {
    pulling.stop();
    uploading.stop();
    station.channel.close();
  }
}

function toJson({ batch, publishId, lists, requests, twoKeys }: PrepareOutcome, code: string): object {
  return {
    batch,
    publish_id: toHex(publishId),
    two_keys_needed: twoKeys,
    code,
    lists: lists.map(({ origin, from, to, root, added, amended, withdrawn }) => ({
      origin,
      from,
      size: to,
      root,
      added,
      amended,
      withdrawn,
    })),
    requests: requests.map(({ role, name, file }) => ({ role, name, file })),
  };
}

function toLines({ batch, publishId, requests, twoKeys }: PrepareOutcome, code: string): string[] {
  return [
    `Prepared ${batch}; publish id ${toHex(publishId)}; code: ${code}`,
    twoKeys ? 'Two keys are needed:' : 'The sequencing key is enough; an approve key may be added:',
    ...requests.map(({ role, name, file }) => `  ${role === 'list' ? 'sequencing key' : name}: ${file}`),
  ];
}
