import { resolve } from 'node:path';
import type { Command } from 'commander';
import { toHex } from '../../sdk/core/index.js';
import { action, count, EXIT } from '../cli/index.js';
import { type ImportOptions, importFile, refusedFileOf, refusedLines } from './publisher-shared.js';

interface Options extends ImportOptions {
  readonly out: string;
}

export function register(program: Command): void {
  program
    .command('import')
    .argument('<file>', 'the source, for instance a CSV with a heading row')
    .description('read a file into a batch; rows that cannot be taken are written as CSV with the reason')
    .option('--format <format>', 'auto or csv', 'auto')
    .requiredOption('--map <file>', 'what columns and classification values mean (JSON)')
    .requiredOption('--collection <name>', 'which of our collections the hashes go to')
    .requiredOption('--out <batch>', 'the batch file to write')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed import cases.csv --map map.json --collection known --out cases.hfbatch',
    )
    .action(
      action<Options>(async (context, options, [file = '']) => {
        const batchFile = resolve(options.out);
        const outcome = await importFile(context, resolve(file), batchFile, options);
        const { batch, rows, items, refused, firstRefused } = outcome;
        context.out.result(
          {
            batch: batchFile,
            publish_id: toHex(batch.publishId),
            rows,
            items,
            refused,
            refused_file: refused > 0 ? refusedFileOf(batchFile) : null,
            first_refused: firstRefused.map(({ line, field, reason }) => ({ line, field, reason })),
            lists: batch.lists.map((list) => ({ origin: list.origin, count: list.count })),
          },
          [
            `${count(items, 'item')} from ${count(rows, 'row')} in ${batchFile}`,
            ...batch.lists.map(
              (list) => `  ${list.origin}: ${count(Number(list.count), 'entry', 'entries')}`,
            ),
            ...refusedLines(outcome, batchFile),
          ],
        );
        return EXIT.done;
      }),
    );
}
