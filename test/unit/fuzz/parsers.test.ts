import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { MemberDirectory } from '../../../proto/gen/hashfed/v1/directory.js';
import { GetSnapshotIndexResponse } from '../../../proto/gen/hashfed/v1/list.js';
import { PublisherRoot } from '../../../proto/gen/hashfed/v1/root.js';
import { TelemetryReport } from '../../../proto/gen/hashfed/v1/telemetry.js';
import {
  type Codec,
  decodeLeaf,
  decodeStateHead,
  encodeStateHead,
  formatCheckpoint,
  formatNote,
  formatVkey,
  fromUtf8,
  HashfedError,
  headAtSeal,
  ListState,
  parseCheckpoint,
  parseDirectory,
  parseLiveness,
  parseNote,
  parseOrigin,
  parseRoot,
  parseVkey,
  portableSha256,
  signDsse,
  signNote,
  startDirectory,
  startRoot,
  utf8,
  verifyFreshness,
  verifyNote,
} from '../../../sdk/core/index.js';
import { fromStatus, toStatus } from '../../../sdk/rpc/index.js';
import { packEvidence, unpackEvidence, verifyEquivocation, verifyIndex } from '../../../sdk/sync/index.js';
import {
  makeReceipt,
  makeReport,
  NO_COVERAGE,
  parseReport,
  readReceipt,
  windowAt,
} from '../../../sdk/telemetry/index.js';
import { LogBuilder } from '../../support/log-builder.js';
import { BulkLog, flat } from '../../support/sync/bulk-log.js';
import * as trust from '../../support/trust/bodies.js';
import { suite, testKey } from '../../support/trust/keys.js';
import { cosigner, sequencer } from '../../support/trust/log.js';
import { spoiled, survives } from './mutate.js';

/** More of them: HASHFED_FUZZ_RUNS. */
const RUNS = Number(process.env['HASHFED_FUZZ_RUNS'] ?? 500);

const { ORIGIN, T0 } = trust;
const log = new LogBuilder(ORIGIN);
for (let i = 0; i < 12; i++) log.add(`fuzz ${i}`, { meta: Uint8Array.of(5, 2, 65, 66) });
log.withdraw(3);
log.amend(2);
log.hold(0, 9);
log.seal();

const state = ListState.empty(log.origin, suite.sha256);
const staging = state.stage();
staging.append(log.bundle(), 0);
staging.finish();
staging.commit();
const head = headAtSeal(ORIGIN, state.head.seal!, state.head.holds);
const records = new Uint8Array(Buffer.concat(Array.from({ length: 16 }, (_, b) => state.bytesOfBucket(b))));

const rootBody = trust.encodeRoot(trust.rootMessage());
const rootEnvelope = trust.signBody('root', rootBody, ...trust.ROOT_KEYS);
const fingerprint = portableSha256.digest(rootBody);
const root = startRoot(suite, rootEnvelope, fingerprint);
const directoryBody = trust.encodeDirectory(trust.directoryMessage());
const directory = trust.signBody('directory', directoryBody, ...trust.SIGNERS);
const fresh = trust.encodeFreshness(trust.freshnessMessage(fingerprint));
const freshness = trust.signBody('freshness', fresh, trust.FRESHNESS_KEY);

const signers = [sequencer(trust.LIST_KEY), cosigner(trust.APPROVE_KEY, trust.APPROVER, T0 / 1000)];
const body = formatCheckpoint({ origin: ORIGIN, size: 20, root: new Uint8Array(32) });
const note = formatNote(
  body,
  signers.map(({ key, seed, timeS }) => signNote(suite, body, key, seed, timeS)),
);

const report = TelemetryReport.encode(
  makeReport(
    { member: 'members/a', sdkVersion: '1', policySha256: new Uint8Array(32), coverage: NO_COVERAGE },
    windowAt('day', T0),
    {
      counts: new Map([
        ['n|o|5|7|3', 3],
        [`n|h|${ORIGIN}|3`, 3],
        ['n|b', 9],
      ]),
      distinct: new Map(),
    },
    { id: 'ab'.repeat(16), sequence: 2, revision: 1, previous: new Uint8Array(32) },
    T0,
  ),
).finish();
const receipt = makeReceipt(
  { kind: 'server', name: 'members/operator', signer: testKey('operator').signer },
  TelemetryReport.decode(report),
  new Uint8Array(32),
  { receivedMs: T0, inTime: true },
);

const bulk = new BulkLog(ORIGIN, () => T0);
bulk.publish(bulk.adds('fuzz', 50));
const made = bulk.snapshot();
const index = GetSnapshotIndexResponse.encode({
  origin: ORIGIN,
  size: BigInt(made.size),
  anchorNote: note,
  checkpoint: undefined,
  sealLeaf: made.sealLeaf,
  sealPath: flat(made.sealPath),
  compactRange: flat(made.range),
  bucketDigests: made.bucketDigests,
  holds: made.holds,
  totalBytes: 1n,
}).finish();
const details = (bytes: Uint8Array): Metadata => {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return metadata;
};
const status = toStatus(new HashfedError('MALFORMED', 'x', { field: 'f', origin: ORIGIN, retryAfterMs: 5 }));
const leaves = Array.from({ length: log.size }, (_, i) => log.bundle(i, i + 1).slice(2));
const text = (bytes: Uint8Array): string => fromUtf8(bytes, 'fuzz');
const evidence = { noteA: note, statementB: new Uint8Array(), contradiction: new Uint8Array() };

/** What comes from peers or from a disk, with valid bytes to start from. */
const PARSERS: [string, readonly Uint8Array[], (bytes: Uint8Array) => unknown][] = [
  ['notes', [note], (b) => parseCheckpoint(parseNote(b).body)],
  [
    'signed notes',
    [note],
    (b) =>
      verifyNote(
        suite,
        b,
        signers.map(({ key }) => key),
      ),
  ],
  [
    'verifier keys',
    signers.map(({ key }) => utf8(formatVkey(suite.sha256, key))),
    (b) => parseVkey(suite.sha256, text(b)),
  ],
  ['origins', [utf8(ORIGIN)], (b) => parseOrigin(text(b))],
  ['root bodies', [rootBody], (b) => parseRoot(suite.sha256, b)],
  ['root envelopes', [rootEnvelope], (b) => startRoot(suite, b, fingerprint)],
  ['directory bodies', [directoryBody], (b) => parseDirectory(suite.sha256, b)],
  ['directory envelopes', [directory], (b) => startDirectory(suite, b, suite.sha256.digest(directoryBody))],
  ['freshness', [freshness], (b) => verifyFreshness(suite, root, ORIGIN, b, T0)],
  ['liveness bodies', [trust.encodeLiveness(trust.livenessMessage())], parseLiveness],
  ['telemetry reports', [report], parseReport],
  ['receipts', [receipt, signDsse('receipt', report, [testKey('a').signer])], readReceipt],
  ['root messages', [rootBody], (b) => parseRoot(suite.sha256, canonical(PublisherRoot, b))],
  ['directories', [directoryBody], (b) => parseDirectory(suite.sha256, canonical(MemberDirectory, b))],
  ['reports', [report], (b) => parseReport(canonical(TelemetryReport, b))],
  ['leaves', leaves, decodeLeaf],
  ['state heads', [encodeStateHead(state.head)], decodeStateHead],
  ['records of snapshots', [records], (b) => ListState.fromRecords(log.origin, suite.sha256, head, [b])],
  [
    'snapshot indexes',
    [index],
    (b) => verifyIndex(suite.sha256, log.origin, bulk.at(), decoded(GetSnapshotIndexResponse, b)),
  ],
  ['evidence', [packEvidence([note, freshness])], unpackEvidence],
  ['notes of forks', [note], (b) => verifyEquivocation(suite, root, { ...evidence, noteB: b })],
  [
    'status details',
    [new Uint8Array(status.metadata.get('grpc-status-details-bin')[0] as Buffer)],
    (b) => fromStatus({ code: 3, details: Buffer.from(b).toString('latin1'), metadata: details(b) }),
  ],
];

/** The transport refuses what is no message. */
function decoded<T>(codec: Codec<T>, bytes: Uint8Array): T {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw new HashfedError('MALFORMED', 'not decoded', { cause });
  }
}

/** As a signer would write what the bytes mean: then more than the encoding is put to the test. */
function canonical<T>(codec: Codec<T>, bytes: Uint8Array): Uint8Array {
  return codec.encode(decoded(codec, bytes)).finish();
}

describe('spoiled bytes are refused by our own errors', () => {
  test.each(PARSERS)('%s', async (_what, seeds, parse) => {
    await fc.assert(
      fc.asyncProperty(spoiled(seeds), (bytes) => survives(parse, bytes)),
      { numRuns: RUNS },
    );
  });

  test('entries of a list: whatever they say, they are applied or passed over', async () => {
    const apply = (bundle: Uint8Array): void => {
      const fork = state.stage();
      try {
        fork.append(bundle, state.size);
        fork.finish();
      } finally {
        fork.discard();
      }
    };
    const seeds = [log.bundle(), log.bundle(0, log.size, new Set([1, 3])), log.bundle(12)];
    await fc.assert(
      fc.asyncProperty(spoiled(seeds), (bytes) => survives(apply, bytes)),
      { numRuns: 3 * RUNS },
    );
  });
});
