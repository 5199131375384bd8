import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { formatVkey } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { HashfedError } from '../../sdk/index.js';
import {
  action,
  type CliContext,
  count,
  EXIT,
  type ExitCode,
  exitForError,
  strongestExit,
} from '../cli/index.js';
import { errorJson, withHoster } from './hoster-shared.js';
import { exportEvidence, verifyEvidenceFile } from './verify-evidence.js';
import { verifyExport } from './verify-export.js';
import { type AuditFinding, auditServer } from './verify-server.js';

interface Options {
  readonly server?: string;
  readonly origin?: readonly string[];
  readonly vkey?: string;
  readonly root?: readonly string[];
  readonly fingerprint?: string;
  readonly evidence?: string;
}

/** How one list fared. */
type Finding = Omit<AuditFinding, 'checkpoint_root'> & { readonly checkpoint_root?: Uint8Array | string };

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function register(program: Command): void {
  program
    .command('verify')
    .argument('[path]', 'a folder written by hashfed log export, or a file of evidence of a fork')
    .description(
      'audit signatures, proofs and digests of an export, of evidence, of the lists a server shows, or of those held here',
    )
    .option('--server <host:port>', 'audit the lists that this server shows from their first entry')
    .option('--origin <origin>', 'only this list; may be given several times', collect)
    .option(
      '--vkey <file>',
      "the publisher's verifier key as you got it from the publisher, not from the export",
    )
    .option('--root <file>', 'root envelopes from version 1 on, to verify evidence without a store', collect)
    .option('--fingerprint <hex>', 'SHA-256 of the version-1 root body as you got it from the publisher')
    .option(
      '--evidence <dir>',
      'write the evidence kept in this store, with the roots that verify it, into a folder',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  hashfed verify export --vkey police.vkey\n  hashfed verify --server mirror.example:8443\n' +
        '  hashfed verify --evidence evidence\n  hashfed verify fork.evidence --root root-1.dsse --fingerprint HEX\n  hashfed verify\n\n' +
        'Exit code 4: something does not verify.',
    )
    .action(
      action<Options>((context, options, [path]) => {
        const given = [path, options.server, options.evidence].filter((one) => one !== undefined);
        if (given.length > 1)
          throw new HashfedError('USAGE', 'name one of a path, --server and --evidence', { field: 'server' });
        if (path !== undefined) return verifyPath(context, resolve(path), options);
        if (options.evidence !== undefined) return exportEvidence(context, resolve(options.evidence));
        return options.server === undefined
          ? verifyHeld(context, options)
          : verifyServer(context, options.server, options);
      }),
    );
}

async function verifyPath(context: CliContext, path: string, options: Options): Promise<ExitCode> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot open ${path}`, { field: 'PATH', cause });
  });
  return found.isDirectory()
    ? verifyFolder(context, path, options)
    : verifyEvidenceFile(context, path, options);
}

async function verifyFolder(context: CliContext, folder: string, { vkey }: Options): Promise<ExitCode> {
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
      `${origin}: ${tally(size, seals.length, records)}: all verified.`,
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

async function verifyServer(context: CliContext, server: string, options: Options): Promise<ExitCode> {
  const { lists } = await context.config();
  const origins = options.origin ?? lists.map(({ origin }) => origin);
  return tell(context, await auditServer(context, server, origins));
}

/** Opening verifies heads, statements and sets; scrubbing reads and authenticates every stored byte. */
async function verifyHeld(context: CliContext, { origin: wanted }: Options): Promise<ExitCode> {
  return withHoster(context, 'auto', async (hashfed) => {
    const findings: Finding[] = [];
    await hashfed.ready();
    for (const { origin, size, checkpoint_root } of hashfed.lists()) {
      if (wanted !== undefined && !wanted.includes(origin)) continue;
      const damage = hashfed.replicas.find((replica) => replica.origin.text === origin)?.damage;
      if (damage !== undefined) {
        findings.push({ origin, error: damage.error });
        continue;
      }
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

function line({ origin, size, seals, records, anomalies, empty, error }: Finding): string {
  if (empty === true) return `${origin}: empty, nothing was published yet`;
  if (error !== undefined) return `${origin}: ${errorJson(error).code}`;
  if (seals === undefined) return `${origin}: ${count(size ?? 0, 'entry', 'entries')} verified`;
  const odd = anomalies === 0 ? '' : `, ${anomalies} anomalies`;
  return `${origin}: ${tally(size, seals, records)} verified${odd}`;
}

const tally = (size = 0, seals = 0, records = 0): string =>
  [count(size, 'entry', 'entries'), count(seals, 'seal'), count(records, 'record')].join(', ');
