import { resolve } from 'node:path';
import type { Command } from 'commander';
import { action, EXIT } from '../cli/index.js';
import { withList } from './list-source.js';
import { exportList } from './log-export.js';
import { exportStatic } from './log-static.js';

interface Options {
  readonly origin: string;
  readonly out: string;
  readonly static?: boolean;
}

export function register(program: Command): void {
  program
    .command('log')
    .description('the log of a list, for foreign tools')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed log export --origin police.example/known/sha256/g1 --out export',
    )
    .command('export')
    .description('write checkpoint, entries.bin, leaves.hex and key.vkey of a list')
    .requiredOption('--origin <origin>', 'the list, as in hashfed lists')
    .requiredOption('--out <dir>', 'a folder that is empty or does not exist')
    .option('--static', 'write the layout of C2SP tlog-tiles instead, to be served by any web server')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed log export --origin police.example/known/sha256/g1 --out export && hashfed verify export\n\n' +
        'The export holds every hash of the list: keep it as carefully as the list itself.',
    )
    .action(
      action<Options>(async (context, { origin, out, static: tiles }) => {
        const { signal } = context;
        const folder = resolve(out);
        const progress = context.out.progress('entries');
        const job = { origin, folder, signal, onProgress: progress.update };
        const { checkpoint, omitted } = await withList(context, origin, async (list) => {
          const done = tiles === true ? await exportStatic(list, job) : await exportList(list, job);
          return { checkpoint: list.offer.checkpoint, omitted: done?.omitted ?? 0 };
        }).finally(() => progress.stop());
        const { size, root } = checkpoint;
        context.out.result(
          {
            origin,
            folder,
            size,
            checkpoint_root: root,
            ...(tiles === true && { entry_bundles_omitted: omitted }),
          },
          [
            `${size} entries of ${origin} in ${folder}; they make the signed root.`,
            ...(omitted > 0 ? [`${omitted} entry bundles hold erased entries and were left out.`] : []),
          ],
        );
        return EXIT.done;
      }),
    );
}
