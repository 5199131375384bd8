import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditLog, checkBundle, parseOrigin, toHex } from '../../sdk/core/index.js';
import { naiveRoot, testSha256 } from './sha256.js';

/** One log as a vector holds it: `origin.txt`, `entries.bin`, `expected.json`. */
export interface LogVector {
  readonly name: string;
  readonly origin: string;
  readonly entries: Uint8Array;
  readonly expected: unknown;
}

export function readLogVectors(dir: string): LogVector[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({
      name,
      origin: readFileSync(join(dir, name, 'origin.txt'), 'utf8').trim(),
      entries: new Uint8Array(readFileSync(join(dir, name, 'entries.bin'))),
      expected: JSON.parse(readFileSync(join(dir, name, 'expected.json'), 'utf8')),
    }));
}

/** Replays a log and lists what `expected.json` holds, in its names. */
export function replayVector(originText: string, entries: Uint8Array): Record<string, unknown> {
  const audit = auditLog(parseOrigin(originText), testSha256, [entries]);
  const leaves = testSha256.hashLeaves(entries, checkBundle(entries, 1_000_000));
  return {
    anomalies: audit.anomalies,
    erased: audit.erased,
    held_records: audit.heldRecords,
    holds: audit.holds,
    missing_entries: audit.missingEntries,
    records: audit.records,
    records_sha256: audit.recordsSha256,
    root: toHex(naiveRoot(leaves)),
    seals: audit.seals.map((seal) => ({
      batch_no: seal.batchNo,
      index: seal.index,
      set_count: seal.setCount,
      set_count_ok: seal.setCountOk,
      set_digest: seal.setDigest,
      set_digest_ok: seal.setDigestOk,
    })),
    size: audit.size,
    stopped: audit.stopped,
  };
}
