import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Equivocation } from '../../proto/gen/hashfed/v1/federation.js';
import {
  fromHex,
  keysFor,
  malformed,
  nextRoot,
  type PublisherRoot,
  parseCheckpoint,
  parseDsse,
  parseNote,
  type Suite,
  startRoot,
  toHex,
  verifyCheckpoint,
} from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { HashfedError, openDeps } from '../../sdk/index.js';
import {
  NO_COSIGNERS,
  originOfEvidence,
  RootBook,
  type SyncDeps,
  verifyEquivocation,
} from '../../sdk/sync/index.js';
import { type CliContext, EXIT, type ExitCode } from '../cli/index.js';
import { writeNew } from '../pki/index.js';
import { packEvidenceFile, parseEvidenceFile } from './evidence-file.js';

/** Evidence and every version of a root: what a file of the project holds at most, bytes. */
const MAX_EVIDENCE_FILE_BYTES = 16 * 1024 * 1024;
/** Bytes of a root envelope: a body of at most 512 KiB and its signatures. */
const MAX_ROOT_BYTES = 1024 * 1024;

export interface EvidenceOptions {
  /** Files of root envelopes from version 1 on; left out: those in the file, for a fingerprint, or this member's own. */
  readonly root?: readonly string[] | undefined;
  /** SHA-256 of the version-1 root body, hex, as it came from the publisher. */
  readonly fingerprint?: string | undefined;
}

/** What a file of evidence proves. */
interface Proven {
  readonly origin: string;
  /** `rollback` shows that a source went back, and blames no publisher. */
  readonly kind: 'notes' | 'extension' | 'statement' | 'rollback';
  readonly sizes: readonly [number, number];
  readonly roots: readonly [Uint8Array, Uint8Array];
}

/** Verifies a file of evidence offline: both parts signed by the publisher, and in contradiction. */
export async function verifyEvidenceFile(
  context: CliContext,
  file: string,
  options: EvidenceOptions,
): Promise<ExitCode> {
  const suite = platformSuite();
  const bytes = await readCapped(file, MAX_EVIDENCE_FILE_BYTES);
  const { evidence, roots: inFile } = parseEvidenceFile(bytes);
  const origin = originOfEvidence(evidence);
  const { root, fingerprint } = await rootFor(context, suite, origin, options, inFile);
  const { kind, sizes, roots } = prove(suite, root, evidence);
  const fork = kind !== 'rollback';
  const from = options.root === undefined || options.fingerprint !== undefined ? 'pinned' : 'file';
  const known = {
    publisher: root.publisher,
    root_version: root.version,
    root_sha256: fingerprint,
    root_from: from,
  };
  context.out.result({ ok: true, origin, fork, kind, sizes, roots, ...known }, [
    fork
      ? `${origin}: proven. ${root.publisher} signed two histories (sizes ${sizes[0]} and ${sizes[1]}).`
      : `${origin}: both checkpoints are genuine (sizes ${sizes[0]} and ${sizes[1]}); a source went back to the smaller.`,
    ...(from === 'file' ? [`Compare the root's fingerprint with the publisher's: ${fingerprint}`] : []),
  ]);
  return EXIT.done;
}

function prove(suite: Suite, root: PublisherRoot, evidence: Equivocation): Proven {
  if (isRollback(evidence)) return proveRollback(suite, root, evidence);
  const { origin, kind, a, b } = verifyEquivocation(suite, root, evidence);
  return { origin, kind, sizes: [a.size, b.size], roots: [a.root, b.root] };
}

/** Two notes of different sizes, without anything that shows that one does not begin with the other. */
function isRollback({ noteA, noteB, contradiction }: Equivocation): boolean {
  if (noteB.length === 0 || contradiction.length > 0) return false;
  const [a, b] = [noteA, noteB].map((note) => parseCheckpoint(parseNote(note).body).size);
  return a !== b;
}

function proveRollback(suite: Suite, root: PublisherRoot, { noteA, noteB }: Equivocation): Proven {
  const origin = originOfEvidence({ noteA });
  const policy = { keys: keysFor(root, origin), cosigners: NO_COSIGNERS };
  const [a, b] = [noteA, noteB].map((note) =>
    verifyCheckpoint(suite, policy, note, { nowMs: Number.MAX_SAFE_INTEGER }),
  );
  if (a === undefined || b === undefined) return malformed('evidence', 'holds no two notes');
  return { origin, kind: 'rollback', sizes: [a.size, b.size], roots: [a.root, b.root] };
}

async function rootFor(
  context: CliContext,
  suite: Suite,
  origin: string,
  { root: files = [], fingerprint }: EvidenceOptions,
  inFile: readonly Uint8Array[],
): Promise<{ root: PublisherRoot; fingerprint: string }> {
  const given = await Promise.all(files.map((file) => readCapped(file, MAX_ROOT_BYTES)));
  const [first, ...later] = given.length === 0 && fingerprint !== undefined ? inFile : given;
  if (first === undefined) return rootHeld(context, origin);
  const pinned =
    fingerprint === undefined
      ? suite.sha256.digest(parseDsse('root', first, MAX_ROOT_BYTES).body)
      : readFingerprint(fingerprint);
  let root = startRoot(suite, first, pinned);
  for (const envelope of later) root = nextRoot(suite, root, envelope);
  return { root, fingerprint: toHex(pinned) };
}

function readFingerprint(text: string): Uint8Array {
  if (/^[0-9a-f]{64}$/.test(text)) return fromHex(text);
  throw new HashfedError('USAGE', '--fingerprint must be 64 lower-case hexadecimal digits', {
    field: 'fingerprint',
  });
}

/** Offline: nothing is asked of any server. */
async function rootHeld(context: CliContext, origin: string) {
  return withStore(context, async (deps, book) => {
    const root = book.of(origin);
    const pinned = deps.trust.find(({ publisher }) => publisher === root.publisher);
    return { root, fingerprint: toHex(pinned?.fingerprint ?? new Uint8Array()) };
  });
}

async function withStore<T>(
  context: CliContext,
  work: (deps: SyncDeps, book: RootBook) => Promise<T>,
): Promise<T> {
  const { clock, random } = context;
  const deps = await openDeps(await context.config(), { access: 'read', clock, random });
  try {
    return await work(deps, await RootBook.open(deps));
  } finally {
    for (const { channel } of deps.sources) channel.close();
    await deps.store.close();
  }
}

/**
 * Writes the evidence that this member's store keeps, each piece a file, with the publisher's root envelopes beside
 * it: a folder that anybody can verify offline.
 */
export async function exportEvidence(context: CliContext, folder: string): Promise<ExitCode> {
  const config = await context.config();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const written = await withStore(context, async ({ store: { documents } }, book) => {
    const files: { origin: string; file: string; roots: string[] }[] = [];
    for (const { origin } of config.lists)
      for (const version of await documents.versions('evidence', origin)) {
        const bytes = await documents.get('evidence', origin, version);
        if (bytes === undefined) continue;
        const file = join(folder, `${origin.replaceAll('/', '_')}-${version}.evidence`);
        const root = book.of(origin);
        await writeNew(file, packEvidenceFile(bytes, await rootsHeld(documents, root)) ?? bytes, 0o600);
        files.push({ origin, file, roots: await writeRoots(documents, root, folder) });
      }
    return files;
  });
  context.out.result(
    { ok: true, evidence: written },
    written.length === 0
      ? 'No evidence is kept here.'
      : written.map(({ origin, file }) => `${origin}: ${file}`),
  );
  return EXIT.done;
}

/** Every version of a root that is held, from 1 on. */
async function rootsHeld(
  documents: SyncDeps['store']['documents'],
  { publisher, version: newest }: PublisherRoot,
): Promise<Uint8Array[]> {
  const versions = Array.from({ length: newest }, (_, i) => documents.get('root', publisher, i + 1));
  return (await Promise.all(versions)).filter((envelope) => envelope !== undefined);
}

async function writeRoots(
  documents: SyncDeps['store']['documents'],
  { publisher, version: newest }: PublisherRoot,
  folder: string,
): Promise<string[]> {
  const files: string[] = [];
  for (let version = 1; version <= newest; version++) {
    const envelope = await documents.get('root', publisher, version);
    const file = join(folder, `${publisher.replace('/', '_')}-root-${version}.dsse`);
    files.push(file);
    const there = await stat(file).then(
      () => true,
      () => false,
    );
    if (envelope !== undefined && !there) await writeNew(file, envelope, 0o644);
  }
  return files;
}

async function readCapped(file: string, maxBytes: number): Promise<Uint8Array> {
  const { size } = await stat(file).catch(cannotRead(file));
  if (size > maxBytes)
    throw new HashfedError('USAGE', `${file} is over ${maxBytes} bytes`, { field: 'FILE' });
  return new Uint8Array(await readFile(file).catch(cannotRead(file)));
}

function cannotRead(file: string) {
  return (cause: unknown): never => {
    throw new HashfedError('USAGE', `cannot read ${file}`, { field: 'FILE', cause });
  };
}
