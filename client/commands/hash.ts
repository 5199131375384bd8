import type { Command } from 'commander';
import { toHex } from '../../sdk/core/index.js';
import { EXACT_TYPES, hashFile } from '../../sdk/hash/index.js';
import { hashImage } from '../../sdk/hash/pdq/index.js';
import { HashfedError } from '../../sdk/index.js';
import { action, type CliContext, EXIT } from '../cli/index.js';

interface Options {
  readonly pdq: boolean;
}

/** One hash of one file; `quality` only for perceptual types. */
interface Line {
  readonly type: string;
  readonly hash: string;
  readonly quality: number | null;
  readonly path: string;
}

interface Unhashed {
  readonly path: string;
  readonly reason: string;
}

export function register(program: Command): void {
  program
    .command('hash')
    .argument('<files...>', 'files to hash')
    .description('print type,hex,quality,path lines: md5, sha1, sha256, and pdq where the file is an image')
    .option('--no-pdq', 'exact hashes only')
    .addHelpText('after', '\nExample:\n  hashfed hash photo.jpg')
    .action(
      action<Options>(async (context, options, files) => {
        const hashes: Line[] = [];
        const unhashed: Unhashed[] = [];
        for (const path of files) await hashOne(context, path, options, hashes, unhashed);
        context.out.result({ hashes, unhashed }, hashes.map(csvLine), { verbatim: true });
        for (const { path, reason } of unhashed)
          context.out.warn(`hashfed: ${path} cannot be hashed: ${reason}; check that it is a readable file`);
        return unhashed.length > 0 ? EXIT.failed : EXIT.done;
      }),
    );
}

async function hashOne(
  { signal }: CliContext,
  path: string,
  { pdq }: Options,
  hashes: Line[],
  unhashed: Unhashed[],
): Promise<void> {
  const outcome = await hashFile(path, { signal, followSymlinks: true });
  if (outcome.status !== 'hashed') {
    unhashed.push({ path, reason: outcome.code ?? outcome.status });
    return;
  }
  for (const type of EXACT_TYPES)
    hashes.push({ type, hash: toHex(outcome.hashes[type]!), quality: null, path });
  const image = pdq ? await decode(path, signal) : undefined;
  if (image?.ok !== true) return;
  for (const { hash, quality } of image.frames)
    hashes.push({ type: 'pdq', hash: toHex(hash), quality, path });
}

/** Without the image decoder exact hashes still serve. */
async function decode(path: string, signal: AbortSignal) {
  try {
    return await hashImage(path, { signal });
  } catch (error) {
    if (error instanceof HashfedError && error.code === 'UNAVAILABLE') return undefined;
    throw error;
  }
}

/** RFC 4180: a path with a comma, quote or line end is quoted. */
function csvLine({ type, hash, quality, path }: Line): string {
  const name = /[",\r\n]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
  return `${type},${hash},${quality ?? ''},${name}`;
}
