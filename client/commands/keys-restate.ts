import { resolve } from 'node:path';
import type { Command } from 'commander';
import { action, count, EXIT } from '../cli/index.js';
import { restate } from '../publisher/index.js';
import { openStation } from './publisher-shared.js';

interface Options {
  readonly out: string;
}

export function registerRestate(keys: Command): void {
  keys
    .command('restate')
    .argument('<origin>', 'a list whose generation is to end')
    .description('write all that a list holds as a batch for its next generation, before keys rotate --close')
    .requiredOption('--out <batch>', 'the batch file')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed keys restate police.example/known/sha256/g1 --out g2.hfbatch',
    )
    .action(
      action<Options>(async (context, { out }, [origin = '']) => {
        const station = await openStation(context);
        const progress = context.out.progress(origin);
        try {
          const { next, size, records } = await restate(station, origin, resolve(out), progress.update);
          context.out.result({ batch: resolve(out), origin, next, size, records }, [
            `${count(records, 'record')} of ${origin}, as of size ${size}, in ${resolve(out)} for ${next}.`,
            `Next: hashfed keys rotate --close ${origin}; name ${next} in hashfed.json; hashfed publish the batch.`,
          ]);
          return EXIT.done;
        } finally {
          progress.stop();
          station.channel.close();
        }
      }),
    );
}
