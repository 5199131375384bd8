import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TelemetryReport } from '../../proto/gen/hashfed/v1/telemetry.js';
import { type Clock, type Member, type MemberDirectory, seedSigner, signDsse } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { systemRandom } from '../../sdk/index.js';
import { makeReport, NO_COVERAGE, windowAt } from '../../sdk/telemetry/index.js';
import { silentLog } from '../../server/logging/index.js';
import { nodeDisk, openLevelStorage, type Storage } from '../../server/storage/index.js';
import { Feed, Receiver } from '../../server/telemetry/index.js';
import { interleaved, result } from './measure.js';
import { options } from './options.js';
import type { BenchLine, BenchModule } from './types.js';

const HOSTERS = 200;
const WINDOWS = 5;
const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

const suite = platformSuite();
const hoster = seedSigner(suite.ed25519, systemRandom.bytes(32));
const operator = seedSigner(suite.ed25519, systemRandom.bytes(32));

interface Signed {
  readonly member: string;
  readonly window: string;
  readonly envelope: Uint8Array;
}

/** Reports of `HOSTERS` members with twenty lists and a dozen cells each: hours of one round. */
function makeRound(round: number, taken: ReadonlyMap<string, { sequence: number; previous: Uint8Array }>) {
  const chains = new Map(taken);
  const reports: Signed[] = [];
  for (let w = 0; w < WINDOWS; w++)
    for (let h = 0; h < HOSTERS; h++) {
      const member = `members/hoster-${h}`;
      const chain = chains.get(member) ?? { sequence: 0, previous: new Uint8Array(32) };
      const window = windowAt('day', START + (round * WINDOWS + w) * 24 * HOUR);
      const slot = { id: 'ab'.repeat(16), ...chain, sequence: chain.sequence + 1, revision: 1 };
      const facts = { member, sdkVersion: '0.1.0', policySha256: new Uint8Array(32), coverage: NO_COVERAGE };
      const body = TelemetryReport.encode(makeReport(facts, window, counted(), slot, window.endMs)).finish();
      chains.set(member, { sequence: slot.sequence, previous: suite.sha256.digest(body) });
      reports.push({
        member: `hoster-${h}`,
        window: window.label,
        envelope: signDsse('telemetry', body, [hoster]),
      });
    }
  return { reports, chains };
}

function counted() {
  const counts = new Map<string, number>([['n|o|1|1|1', 100_000]]);
  for (const action of [2, 4, 5])
    for (const classification of [4, 5, 6, 7]) counts.set(`n|o|${action}|${classification}|3`, 10);
  for (let list = 0; list < 20; list++) counts.set(`n|h|police.example/known-${list}/sha256/g1|3`, 5);
  return { counts, distinct: new Map([['n|members/police', 40]]) };
}

function directoryOf(): MemberDirectory {
  const always = { validFromMs: 0, validUntilMs: Number.POSITIVE_INFINITY };
  const member = (name: string, role: 'hoster' | 'operator', key: Uint8Array): [string, Member] => [
    `members/${name}`,
    {
      name: `members/${name}`,
      displayName: name,
      roles: [role],
      status: 'active',
      signingKeys: [{ key, usable: true, ...always }],
      boxKeys: [],
      ...always,
      readableLists: [],
      domains: [],
    },
  ];
  const hosters = Array.from({ length: HOSTERS }, (_, h) =>
    member(`hoster-${h}`, 'hoster', hoster.publicKey),
  );
  const members = new Map([member('operator', 'operator', operator.publicKey), ...hosters]);
  const rest = { federation: 'bench.example', version: 1, issuedAtMs: 0, signers: [], threshold: 1 };
  const digests = { body: new Uint8Array(), sha256: new Uint8Array(32), previousSha256: undefined };
  return { ...rest, ...digests, expiresMs: Number.POSITIVE_INFINITY, members, development: true };
}

/** A clock in the middle of the windows that are taken: all are in time. */
const clock: Clock = { nowMs: () => START, monotonicMs: () => performance.now() };

async function openStorage(directory: string): Promise<Storage> {
  const headsKey = systemRandom.bytes(32);
  const deps = { sha: suite.sha256, clock, random: systemRandom, disk: nodeDisk };
  return openLevelStorage({ directory, headsKey, create: true, ...deps });
}

/** Reports a second, verified, receipted and durable, against storing the same bytes unverified. */
async function ingest(): Promise<BenchLine[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hashfed-bench-'));
  const ours = await openStorage(join(folder, 'ours'));
  const theirs = await openStorage(join(folder, 'theirs'));
  try {
    return await measure(ours, theirs);
  } finally {
    await ours.close();
    await theirs.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(ours: Storage, theirs: Storage): Promise<BenchLine[]> {
  const now = { ms: START };
  const deps = {
    storage: ours,
    suite,
    clock: { ...clock, nowMs: () => now.ms },
    log: silentLog,
    directory: { current: directoryOf() },
    signing: operator,
  };
  const receiver = new Receiver(deps, new Feed());
  const rounds: Signed[][] = [];
  for (let round = 0, chains = new Map(); round <= options.rounds; round++) {
    const made = makeRound(round, chains);
    rounds.push(made.reports);
    chains = made.chains;
  }
  const next = { ours: 0, theirs: 0 };
  const took = await interleaved(
    {
      ours: () => {
        now.ms = START + (next.ours + 1) * WINDOWS * 24 * HOUR;
        const round = rounds[next.ours++] ?? [];
        return Promise.all(round.map(({ member, envelope }) => receiver.submit(member, envelope)));
      },
      theirs: () => {
        const round = rounds[next.theirs++] ?? [];
        const receipt = new Uint8Array(300);
        return Promise.all(
          round.map(({ member, window, envelope }) =>
            theirs.telemetry.put({ member, window, revision: 1, receivedMs: 0, bytes: envelope }, receipt),
          ),
        );
      },
    },
    options.rounds,
  );
  const n = HOSTERS * WINDOWS;
  const checked = (await digest(ours)) === (await digest(theirs));
  const perSecond = (ms: number): number => (n / ms) * 1000;
  return [
    result({
      bench: 'telemetry-ingest',
      n,
      unit: 'ops/s',
      ours: perSecond(took('ours')),
      baseline: 'store-only',
      theirs: perSecond(took('theirs')),
      rounds: options.rounds,
      checked,
    }),
  ];
}

/** Every stored report, by member and window. */
async function digest(storage: Storage): Promise<string> {
  const parts: Uint8Array[] = [];
  for (let pageToken = ''; ; ) {
    const page = await storage.telemetry.list({ pageSize: 1000, pageToken });
    for (const { bytes } of page.items) parts.push(suite.sha256.digest(bytes));
    pageToken = page.nextPageToken;
    if (pageToken === '') return Buffer.from(suite.sha256.digest(Buffer.concat(parts))).toString('hex');
  }
}

export const benches: BenchModule['benches'] = { 'telemetry-ingest': ingest };
