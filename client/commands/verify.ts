import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { formatVkey } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { HashfedError, keyFromCallback, type LoadedConfig, open } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode, exitForError, strongestExit } from '../cli/index.js';
import { errorJson, withHoster } from './hoster-shared.js';
import { verifyExport } from './verify-export.js';

interface Options {
  readonly server?: string;
  readonly origin?: readonly string[];
  readonly vkey?: string;
}

/** How one list fared. */
interface Finding {
  readonly origin: string;
  readonly size?: number;
  readonly checkpoint_root?: Uint8Array | string;
  readonly error?: unknown;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function register(program: Command): void {
  program
    .command('verify')
    .argument('[dir]', 'a folder written by hashfed log export')
    .description(
      'audit signatures, proofs and digests of an export, of the lists a server shows, or of those held here',
    )
    .option('--server <host:port>', 'pull lists from this server into a store of its own and verify them')
    .option('--origin <origin>', 'only this list; may be given several times', collect)
    .option(
      '--vkey <file>',
      "the publisher's verifier key as you got it from the publisher, not from the export",
    )
    .addHelpText(
      'after',
      '\nExamples:\n  hashfed verify export --vkey police.vkey\n  hashfed verify --server mirror.example:8443\n  hashfed verify\n\n' +
        'Exit code 4: something does not verify.',
    )
    .action(
      action<Options>((context, options, [dir]) => {
        if (dir !== undefined && options.server !== undefined)
          throw new HashfedError('USAGE', 'name a folder or a server, not both', { field: 'server' });
        if (dir !== undefined) return verifyFolder(context, resolve(dir), options);
        return options.server === undefined
          ? verifyHeld(context, options)
          : verifyServer(context, options.server, options);
      }),
    );
}

async function verifyFolder(context: CliContext, folder: string, { vkey }: Options): Promise<ExitCode> {
  const found = await stat(folder).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot open ${folder}`, { field: 'DIR', cause });
  });
  if (!found.isDirectory())
    throw new HashfedError('USAGE', `${folder} is no folder written by hashfed log export`, { field: 'DIR' });
  const suite = platformSuite();
  const given = vkey === undefined ? undefined : (await readVkey(vkey)).trim();
  const { origin, size, root, key, audit } = await verifyExport(suite, folder, given);
  const { records, anomalies, erased, holds, seals } = audit;
  const counts = { records, seals: seals.length, anomalies, erased, holds };
  const trust = given === undefined ? 'export' : 'given';
  const text = formatVkey(suite.sha256, key);
  context.out.result(
    { ok: true, origin, size, checkpoint_root: root, ...counts, vkey: text, key_from: trust },
    [
      `${origin}: ${size} entries, ${seals.length} seals, ${records} records: all verified.`,
      ...(given === undefined
        ? [`The key came with the export: compare it with the publisher's. ${text}`]
        : []),
    ],
  );
  return EXIT.done;
}

async function readVkey(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read ${file}`, { field: 'vkey', cause });
  });
}

/** Follows the lists from their first entry with a hoster's own code, in a store that is thrown away. */
async function verifyServer(context: CliContext, server: string, options: Options): Promise<ExitCode> {
  const config = await context.config();
  const folder = await mkdtemp(join(tmpdir(), 'hashfed-verify-'));
  const secret = new Uint8Array(randomBytes(32));
  try {
    const { clock, random, signal } = context;
    const there = atServer(config, server, join(folder, 'store'), options);
    const hashfed = await open({ config: there, key: keyFromCallback(async () => secret), clock, random });
    try {
      const { results, failures } = await hashfed.sync({ signal });
      const good = results.map(({ origin, size, root }) => ({ origin, size, checkpoint_root: root }));
      return tell(context, [...good, ...failures]);
    } finally {
      await hashfed.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function atServer(config: LoadedConfig, address: string, store: string, { origin }: Options): LoadedConfig {
  const same = config.sources.find((source) => source.address === address);
  const name = same?.server_name;
  const lists = origin?.map((one) => ({ origin: one, purpose: 'listed' as const })) ?? config.lists;
  return {
    ...config,
    sources: [{ address, ...(name !== undefined && { server_name: name }) }],
    lists: [...lists],
    store: { dir: store },
  };
}

/** Opening verifies heads, statements and sets; scrubbing reads and authenticates every stored byte. */
async function verifyHeld(context: CliContext, { origin: wanted }: Options): Promise<ExitCode> {
  return withHoster(context, 'auto', async (hashfed) => {
    const findings: Finding[] = [];
    for (const { origin, size, checkpoint_root } of hashfed.lists()) {
      if (wanted !== undefined && !wanted.includes(origin)) continue;
      findings.push(
        await hashfed.store
          .list(origin)
          .scrub()
          .then(
            () => ({ origin, size, checkpoint_root }),
            (error: unknown) => ({ origin, error }),
          ),
      );
    }
    return tell(context, findings);
  });
}

function tell({ out }: CliContext, findings: readonly Finding[]): ExitCode {
  if (findings.length === 0)
    throw new HashfedError('USAGE', 'no list of that name is configured', { field: 'origin' });
  const bad = findings.filter(({ error }) => error !== undefined);
  out.result(
    {
      ok: bad.length === 0,
      lists: findings.map(({ error, ...rest }) => ({
        ...rest,
        ...(error !== undefined && { error: errorJson(error) }),
      })),
    },
    findings.map(line),
  );
  for (const { origin, error } of bad)
    out.warn(`hashfed: ${errorJson(error).code} [${origin}]: ${errorJson(error).message}`);
  return strongestExit(bad.map(({ error }) => exitForError(error)));
}

function line({ origin, size, error }: Finding): string {
  return error === undefined ? `${origin}: ${size} entries verified` : `${origin}: ${errorJson(error).code}`;
}
