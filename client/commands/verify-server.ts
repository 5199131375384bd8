import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Audit,
  auditLog,
  CompactRange,
  ListState,
  parseOrigin,
  settingsOf,
  type VerifiedCheckpoint,
} from '../../sdk/core/index.js';
import { HashfedError, keyFromCallback, type LoadedConfig, openDeps } from '../../sdk/index.js';
import {
  askCheckpoint,
  judgeOffer,
  type Offer,
  pullEntries,
  RangeBuilder,
  RootBook,
  type Source,
  type SyncDeps,
} from '../../sdk/sync/index.js';
import type { CliContext } from '../cli/index.js';

/** Bytes of one list's entries up to which every SEAL's digest is computed anew; beyond, the last one's only. */
const MAX_RESIDENT_BYTES = 1024 ** 3;

/** What an audit of one list found, all of it verified, or the failure. */
export interface AuditFinding {
  readonly origin: string;
  readonly size?: number;
  /** The source serves no checkpoint: nothing was published yet, as it says. */
  readonly empty?: true;
  readonly checkpoint_root?: Uint8Array;
  readonly root_version?: number;
  readonly root_expires_ms?: number;
  /** Size of the newest checkpoint that two keys signed; what lies above it is within one key's limit. */
  readonly anchor_size?: number;
  readonly cosigners?: readonly string[];
  readonly seals?: number;
  /** Whether each SEAL's digest was computed, or the last one's only. */
  readonly digests?: 'all' | 'last';
  readonly records?: number;
  readonly anomalies?: number;
  readonly erased?: number;
  readonly holds?: number;
  /** When the newest statements were signed, Unix milliseconds; 0: none served, or none that verifies. */
  readonly freshness_ms?: number;
  readonly liveness_ms?: number;
  readonly error?: unknown;
}

/**
 * Audits lists at one server from their first entry, in a store that is thrown away: the publisher's root chain from
 * the pinned fingerprint, notes, cosigners, anchor and statements, every leaf, the root, every SEAL, the limit for one
 * key. No snapshot is used: what lies before it would go unseen.
 */
export async function auditServer(
  context: CliContext,
  address: string,
  origins: readonly string[],
): Promise<AuditFinding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hashfed-verify-'));
  const secret = new Uint8Array(randomBytes(32));
  const { clock, random } = context;
  try {
    const config = atServer(await context.config(), address, join(folder, 'store'));
    const deps = await openDeps(config, { key: keyFromCallback(async () => secret), clock, random });
    try {
      const book = await RootBook.open(deps);
      const findings: AuditFinding[] = [];
      for (const origin of origins)
        findings.push(
          await auditOne(context, deps, book, origin).catch((error: unknown) => ({ origin, error })),
        );
      return findings;
    } finally {
      for (const { channel } of deps.sources) channel.close();
      await deps.store.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function atServer(config: LoadedConfig, address: string, store: string): LoadedConfig {
  const name = config.sources.find((source) => source.address === address)?.server_name;
  const known = name ?? (/^(127\.|\[::1\])/.test(address) ? 'localhost' : undefined);
  return {
    ...config,
    sources: [{ address, ...(known !== undefined && { server_name: known }) }],
    store: { dir: store },
  };
}

async function auditOne(
  context: CliContext,
  deps: SyncDeps,
  book: RootBook,
  origin: string,
): Promise<AuditFinding> {
  const source = deps.sources[0]!;
  const offer = await offerOf(context, deps, book, source, origin);
  // Somebody who has seen the list before will know that it is not empty: sync calls that a rollback.
  if (offer === undefined) return { origin, size: 0, empty: true };
  const { checkpoint, root } = offer;
  const anchor = checkpoint.twoKey ? checkpoint : offer.anchor;
  if (anchor === undefined)
    throw new HashfedError('THRESHOLD_NOT_MET', 'no checkpoint with two keys is served', { origin });
  if (context.clock.nowMs() >= root.expiresMs)
    throw new HashfedError('STALE', 'the publisher root expired', { origin });
  const counts = await replay(context, deps, source, offer, anchor);
  return {
    origin,
    size: checkpoint.size,
    checkpoint_root: checkpoint.root,
    root_version: root.version,
    root_expires_ms: root.expiresMs,
    anchor_size: anchor.size,
    cosigners: checkpoint.cosigners,
    ...counts,
    freshness_ms: offer.freshness?.statement.issuedAtMs ?? 0,
    liveness_ms: offer.liveness?.statement.timeMs ?? 0,
  };
}

async function offerOf(
  { clock, signal }: CliContext,
  deps: SyncDeps,
  book: RootBook,
  source: Source,
  origin: string,
): Promise<Offer | undefined> {
  const { bundle, minWaitMs } = await askCheckpoint(source, origin, signal);
  if (bundle.note.length === 0) return undefined;
  for (const publisher of book.candidates(origin)) await book.refresh(source, publisher, signal);
  const judging = { deps, source, root: book.of(origin), origin, nowMs: clock.nowMs(), signal };
  return judgeOffer(judging, bundle, minWaitMs);
}

/** Every entry, once for the tree and the rules, once more for each SEAL's digest. */
async function replay(
  { out, signal }: CliContext,
  deps: SyncDeps,
  source: Source,
  { checkpoint, root }: Offer,
  anchor: VerifiedCheckpoint,
) {
  const { origin, size } = checkpoint;
  const { sha256 } = deps.suite;
  const content = {
    state: ListState.empty(parseOrigin(origin), sha256),
    tree: CompactRange.empty(sha256),
    held: undefined,
  };
  const builder = new RangeBuilder(content, {
    settings: settingsOf(root, origin),
    target: checkpoint,
    anchor,
  });
  const kept: Uint8Array[] = [];
  let bytes = 0;
  const progress = out.progress(origin);
  try {
    for await (const bundle of pullEntries(deps, source, { origin, from: 0, to: size, signal })) {
      builder.add(bundle);
      bytes += bundle.bytes.length;
      if (bytes <= MAX_RESIDENT_BYTES) kept.push(bundle.bytes);
      progress.update(builder.next, size);
    }
    const { range, staging } = builder.finish();
    const { anomalies, erased } = staging.replay;
    const seals = range.seals.length;
    const holds = range.holds.length;
    const records = range.head.seal?.setCount ?? 0;
    const counts = { seals, records, holds, anomalies: anomalies.count, erased };
    if (bytes > MAX_RESIDENT_BYTES) return { ...counts, digests: 'last' as const };
    judgeSeals(origin, auditLog(parseOrigin(origin), sha256, kept));
    return { ...counts, digests: 'all' as const };
  } finally {
    builder.discard();
    progress.stop();
  }
}

/** A list recovers at a later SEAL that is right; an audit tells of the one that was not. */
function judgeSeals(origin: string, { seals }: Audit): void {
  const bad = seals.find(({ setCountOk, setDigestOk }) => !setCountOk || setDigestOk === false);
  if (bad === undefined) return;
  throw new HashfedError('PUBLISHER_INVALID', `the SEAL at ${bad.index} does not describe the set`, {
    origin,
  });
}
