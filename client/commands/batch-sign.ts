import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { type Clock, HashfedError } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { action, type CliContext, count, EXIT } from '../cli/index.js';
import {
  keysAtHand,
  type ListSheet,
  publisherPaths,
  type ReviewSheet,
  readKey,
  readKeyFile,
  recordDisk,
  recordFile,
  reviewRequest,
  type SecretKey,
  signRequest,
} from '../publisher/index.js';
import { askPassphrase } from './publisher-shared.js';
import { signingSuite } from './signing-suite.js';

interface SignOptions {
  readonly key?: string;
  readonly records?: string;
  readonly out?: string;
  readonly yes?: boolean;
  readonly pkcs11?: string;
}

type Verb = 'sign' | 'countersign';
const ROLES = { sign: 'list', countersign: 'approve' } as const;

export function registerReview(batch: Command): void {
  batch
    .command('review')
    .argument('<request>', 'a signing request')
    .description('recompute a signing request and show what it would do; signs nothing')
    .addHelpText('after', '\nExample:\n  hashfed batch review list-0a1b2c3d.hfrequest')
    .action(
      action(async ({ clock, out }, _options, [file = '']) => {
        const sheet = await reviewRequest(platformSuite(), clock, resolve(file));
        out.result(sheetJson(sheet), sheetLines(sheet, clock));
        return EXIT.done;
      }),
    );
}

export function registerSign(batch: Command, verb: Verb): void {
  const whose = verb === 'sign' ? 'sequencing' : 'approve';
  batch
    .command(verb)
    .argument('<request>', 'a signing request')
    .description(`recompute a signing request, show it, sign it with the ${whose} key; works offline`)
    .option('--key <file>', 'the key file (default: the one in keys_dir that the request asks for)')
    .option('--pkcs11 <module>', 'for a key in a token (or HASHFED_PKCS11_MODULE)')
    .option('--records <dir>', "folder of this key's record; on this machine only, in no backup")
    .option('--out <file>', 'the signed file to write (default: beside the request)')
    .option('--yes', 'do not ask: the sheet was read before')
    .addHelpText(
      'after',
      `\nExample:\n  hashfed batch ${verb} ${ROLES[verb]}-0a1b2c3d.hfrequest --key ${ROLES[verb]}.key --records records`,
    )
    .action(
      action<SignOptions>(async (context, options, [file = '']) => {
        const request = resolve(file);
        const sheet = await reviewRequest(platformSuite(), context.clock, request);
        for (const line of sheetLines(sheet, context.clock)) context.out.say(line);
        const key = await chooseKey(context, verb, options, sheet);
        await confirm(context, options, sheet);
        const out = resolve(options.out ?? `${request.replace(/\.hfrequest$/, '')}.hfsigned`);
        await writeFile(out, await sign(context, options, key, request), { mode: 0o600 });
        context.out.result({ signed: out, code: sheet.code, batch: sheet.request.batch }, `Signed: ${out}`);
        return EXIT.done;
      }),
    );
}

async function sign(
  context: CliContext,
  { records, pkcs11 }: SignOptions,
  key: SecretKey,
  request: string,
): Promise<Uint8Array> {
  const folder = records === undefined ? publisherPaths(await context.config()).records : resolve(records);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const deps = { suite: signingSuite(context, pkcs11), clock: context.clock, disk: recordDisk };
  return signRequest({ ...deps, recordFile: await recordFile(folder, key.publicKey) }, key, request);
}

/** The key of `--key`, or the one in keys_dir that the request asks for. Throws USAGE. */
async function chooseKey(
  context: CliContext,
  verb: Verb,
  { key, pkcs11 }: SignOptions,
  { request }: ReviewSheet,
): Promise<SecretKey> {
  const role = ROLES[verb];
  const { ed25519 } = signingSuite(context, pkcs11);
  const open = async (file: string): Promise<SecretKey> => {
    const { sealed } = await readKeyFile(file);
    return readKey(
      file,
      role,
      ed25519,
      sealed === undefined ? undefined : await askPassphrase(context, file),
    );
  };
  if (key !== undefined) return open(resolve(key));
  const wanted = Buffer.from(request.key).toString('hex');
  const atHand = await keysAtHand(publisherPaths(await context.config()).keys);
  const found = atHand.find(({ stored }) => stored.role === role && stored.public_key === wanted);
  if (found === undefined)
    throw new HashfedError('USAGE', `the key that the request asks for is not at hand; name it with --key`, {
      field: 'key',
    });
  return open(found.file);
}

/** On a terminal a person says so; elsewhere `--yes` must. Throws USAGE. */
async function confirm(
  { out, signal }: CliContext,
  { yes }: SignOptions,
  { code }: ReviewSheet,
): Promise<void> {
  if (yes === true) return;
  if (out.json || process.stdin.isTTY !== true)
    throw new HashfedError('USAGE', 'read the sheet (hashfed batch review), then sign with --yes', {
      field: 'yes',
    });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const first = code.split(' ')[0]!;
    const answer = await lines.question(`Type the first word of the code (${code}) to sign: `, { signal });
    if (answer.trim() !== first) throw new HashfedError('CANCELLED', 'nothing was signed');
  } finally {
    lines.close();
  }
}

function sheetJson({ request, publisher, rootVersion, lists, code }: ReviewSheet): object {
  return {
    publisher,
    root_version: rootVersion,
    batch: request.batch,
    role: roleOf(request.role),
    code,
    lists: lists.map(listJson),
  };
}

/** Scripts may read these four by either name. */
const listJson = (list: ReviewSheet['lists'][number]) => ({
  ...list,
  set_count: list.setCount,
  anchor_set_count: list.anchorSetCount,
  one_key: list.oneKey,
  sample: list.sample.map((entry) => ({ ...entry, time_ms: entry.timeMs })),
});

const roleOf = (role: number): string => (role === 1 ? 'list' : 'approve');

function sheetLines({ request, publisher, rootVersion, lists, code }: ReviewSheet, clock: Clock): string[] {
  const ageMin = Math.round((clock.nowMs() - Number(request.createdMs)) / 60_000);
  return [
    `${publisher}, root version ${rootVersion}; prepared ${ageMin === 0 ? 'just now' : `${count(ageMin, 'minute')} ago`} as ${request.batch}`,
    `Asks for: ${roleOf(request.role) === 'list' ? 'the sequencing key' : 'an approve key'}`,
    ...lists.flatMap(listLines),
    `Code: ${code}`,
  ];
}

function listLines(sheet: ListSheet): string[] {
  const { counts } = sheet;
  return [
    '',
    `${sheet.origin} (${sheet.purpose}), entries ${sheet.from} to ${sheet.to}`,
    `  additions ${counts.adds}, withdrawals ${counts.withdrawals}, amendments ${counts.amendments}, holds ${counts.holds}${counts.erased > 0 ? `, erased ${counts.erased}` : ''}`,
    `  records afterwards ${sheet.setCount}; at the last note with two keys ${sheet.anchorSetCount}`,
    ...sheet.oneKey.map(({ from, to }) => `  committed by one key alone before: entries ${from} to ${to}`),
    `  root ${sheet.root}`,
    ...sheet.sample.map(({ index, kind, text }) => `  ${index} ${kind} ${text}`),
  ];
}
