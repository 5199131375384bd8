import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { SignedBatch } from '../../proto/gen/hashfed/v1/files.js';
import { HashfedError, malformed } from '../../sdk/core/index.js';
import { action, EXIT, table } from '../cli/index.js';
import {
  batchStatus,
  type CommittedList,
  commitSigned,
  openRequest,
  parseSigned,
} from '../publisher/index.js';
import { openStation, passphraseOf } from './publisher-shared.js';

/** Notes of 256 lists at 64 KiB, and what is around them. */
const MAX_SIGNED_BYTES = 17 * 1024 * 1024;

export function registerSubmit(batch: Command): void {
  batch
    .command('submit')
    .argument('<signed...>', 'signed files of one batch, by one signer or several')
    .description('hand in what the signers released; the batch becomes visible')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed batch submit list-0a1b2c3d.hfsigned approve-4e5f6a7b.hfsigned',
    )
    .action(
      action(async (context, _options, files) => {
        const signed = await Promise.all(files.map(readSigned));
        const batchName = sameBatch(signed);
        const station = await openStation(context);
        try {
          const committed = await commitSigned(station, batchName, signed, passphraseOf(context));
          context.out.result(toJson(batchName, committed), toLines(batchName, committed));
          return EXIT.done;
        } finally {
          station.channel.close();
        }
      }),
    );
}

export function registerStatus(batch: Command): void {
  batch
    .command('status')
    .argument('<request>', 'a signing request')
    .description('whether a prepared batch waits for signatures, is published, or was passed by another')
    .addHelpText('after', '\nExample:\n  hashfed batch status list-0a1b2c3d.hfrequest')
    .action(
      action(async (context, _options, [file = '']) => {
        const { request, reader } = await openRequest(resolve(file));
        await reader.close();
        const station = await openStation(context);
        try {
          const lists = await batchStatus(station, request);
          context.out.result(
            { batch: request.batch, lists },
            table([
              ['list', 'size', 'state'],
              ...lists.map((one) => [one.origin, String(one.size), one.state]),
            ]),
          );
          return EXIT.done;
        } finally {
          station.channel.close();
        }
      }),
    );
}

async function readSigned(file: string): Promise<SignedBatch> {
  const bytes = await readFile(resolve(file)).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read ${file}`, { field: 'signed', cause });
  });
  if (bytes.length > MAX_SIGNED_BYTES) malformed('signed batch', `is over ${MAX_SIGNED_BYTES} bytes`);
  return parseSigned(new Uint8Array(bytes));
}

function sameBatch(signed: readonly SignedBatch[]): string {
  const [first, ...rest] = signed;
  if (first === undefined || rest.some(({ batch }) => batch !== first.batch))
    throw new HashfedError('USAGE', 'the signed files are of different batches', { field: 'signed' });
  return first.batch;
}

function toJson(batch: string, committed: readonly CommittedList[]): object {
  return {
    batch,
    live: committed.every(({ live }) => live),
    lists: committed.map(({ origin, checkpoint, committedMs }) => ({
      origin,
      size: checkpoint.size,
      root: checkpoint.root,
      two_keys: checkpoint.twoKey,
      committed_ms: committedMs,
    })),
  };
}

function toLines(batch: string, committed: readonly CommittedList[]): string[] {
  return [
    `Published ${batch}.`,
    ...table([
      ['list', 'size', 'keys'],
      ...committed.map(({ origin, checkpoint: { size, twoKey } }) => [
        origin,
        String(size),
        twoKey ? 'two' : 'one',
      ]),
    ]),
  ];
}
