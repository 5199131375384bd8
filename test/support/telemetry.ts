/** A federation's telemetry in one process: hosters' stores, a server's receiver, and a wire between that loses things. */
import { Metadata } from '@grpc/grpc-js';
import type { VerifiedReport } from '../../client/monitor/telemetry/index.js';
import { verifyRecord } from '../../client/monitor/telemetry/index.js';
import {
  type Clock,
  HashfedError,
  type Member,
  type MemberDirectory,
  type MemberRole,
  signingKeysAt,
} from '../../sdk/core/index.js';
import type { Match, Verdict } from '../../sdk/match/index.js';
import { type RpcChannel, toStatus } from '../../sdk/rpc/index.js';
import type { Store } from '../../sdk/store/index.js';
import { type MemberBook, Telemetry, type TelemetryParts } from '../../sdk/telemetry/index.js';
import { silentLog } from '../../server/logging/index.js';
import { Feed, Receiver, SyncStates, type TelemetryDeps } from '../../server/telemetry/index.js';
import { random } from '../contract/store/support.js';
import { createMemoryStorage } from './memory-storage.js';
import { suite, testKey } from './trust/keys.js';

/** 2026-11-24T12:00:00Z. */
export const NOON = Date.UTC(2026, 10, 24, 12);
export const HOUR = 3_600_000;
export const OPERATOR = testKey('operator');
export const HOSTER = testKey('hoster-a');
export const MONITOR = testKey('monitor');
export const LIST = 'police.example/known/sha256/g1';

const member = (name: string, role: MemberRole, key: Uint8Array): [string, Member] => [
  `members/${name}`,
  {
    name: `members/${name}`,
    displayName: name,
    roles: [role],
    status: 'active',
    signingKeys: [{ key, usable: true, validFromMs: 0, validUntilMs: Number.POSITIVE_INFINITY }],
    boxKeys: [],
    validFromMs: 0,
    validUntilMs: Number.POSITIVE_INFINITY,
    readableLists: ['*'],
    domains: [],
  },
];

const directory: MemberDirectory = {
  federation: 'test.example',
  version: 1,
  issuedAtMs: 0,
  expiresMs: Number.POSITIVE_INFINITY,
  previousSha256: undefined,
  signers: [],
  threshold: 1,
  members: new Map([
    member('operator', 'operator', OPERATOR.publicKey),
    member('hoster-a', 'hoster', HOSTER.publicKey),
    member('hoster-b', 'hoster', testKey('hoster-b').publicKey),
    member('monitor', 'monitor', MONITOR.publicKey),
  ]),
  development: true,
  body: new Uint8Array(),
  sha256: new Uint8Array(32),
};

/** The directory as hoster and monitor ask it. */
export const members = {
  refresh: async () => {},
  keysOf: (name: string, role: MemberRole, timeMs: number) => {
    const found = directory.members.get(name);
    return found?.roles.includes(role) ? signingKeysAt(found, timeMs) : [];
  },
} as unknown as MemberBook;

export interface TestClock extends Clock {
  now: number;
}

export function testClock(now = NOON): TestClock {
  const clock = { now, nowMs: () => clock.now, monotonicMs: () => clock.now };
  return clock;
}

/** A server's telemetry over storage in memory. */
export class TelemetryServer {
  readonly deps: TelemetryDeps;
  readonly feed = new Feed();
  readonly receiver: Receiver;
  /** What happens to the next calls, in order; `ok` when there is nothing left. */
  readonly fates: ('ok' | 'request-lost' | 'answer-lost')[] = [];
  readonly warnings: string[] = [];

  constructor(clock: Clock) {
    this.deps = {
      storage: createMemoryStorage({ sha: suite.sha256, clock, random }),
      suite,
      clock,
      log: { ...silentLog, warn: (event) => this.warnings.push(event) },
      directory: { current: directory },
      signing: OPERATOR.signer,
    };
    this.receiver = new Receiver(this.deps, this.feed);
  }

  states(): Promise<SyncStates> {
    return SyncStates.open(this.deps, this.feed);
  }

  /** A channel of one member: its calls meet the fates. */
  channel(name: string): RpcChannel {
    const submit = async (request: { envelope: Uint8Array }) => {
      const fate = this.fates.shift() ?? 'ok';
      if (fate === 'request-lost') throw new HashfedError('DEADLINE', 'lost on its way there');
      const answer = await this.receiver.submit(name, request.envelope);
      if (fate === 'answer-lost') throw new HashfedError('DEADLINE', 'lost on its way back');
      return answer;
    };
    const client = {
      makeUnaryRequest: (...args: readonly unknown[]) => {
        const respond = args[6] as (error: unknown, value?: unknown) => void;
        submit(args[3] as { envelope: Uint8Array }).then(
          (answer) => respond(null, answer),
          (error: unknown) =>
            respond(Object.assign(new Error('status'), { metadata: new Metadata() }, toStatus(error))),
        );
        return { cancel: () => {} };
      },
    };
    return { random, noteOutcome: () => {}, client: () => client } as unknown as RpcChannel;
  }

  /** Everything that arrived, verified as the monitor does. */
  async received(): Promise<VerifiedReport[]> {
    const { telemetry } = this.deps.storage;
    const all = await telemetry.arrivals(0, 1000);
    return Promise.all(
      all.map(async ({ member, window, revision, sequence, bytes }) => {
        const receipt = await telemetry.receipt(member, window, revision, 'server');
        return verifyRecord(suite, members, {
          arrival: BigInt(sequence),
          envelope: bytes,
          receipts: [receipt!.bytes],
        });
      }),
    );
  }
}

export function telemetryOf(
  store: Store,
  server: TelemetryServer,
  clock: Clock,
  bend: Partial<TelemetryParts> = {},
): Telemetry {
  return new Telemetry({
    store,
    suite,
    clock,
    random,
    channels: [server.channel('hoster-a')],
    enabled: true,
    unit: 'day',
    member: 'members/hoster-a',
    sdkVersion: '0.1.0',
    policySha256: new Uint8Array(32).fill(7),
    publisherOf: (origin) => (origin.startsWith('police.') ? 'members/police' : undefined),
    signer: async () => HOSTER.signer,
    members: async () => members,
    ...bend,
  });
}

export function matchOf(bend: Partial<Match> & { bucket?: number } = {}): Match {
  const { bucket = 7, ...rest } = bend;
  return {
    origin: LIST,
    add_index: 4,
    item_id: '11'.repeat(16),
    hash_type: 'sha256',
    classification: { scheme: 1, code: 1, bucket },
    verifications: 1,
    listed_at: 0,
    size: 10,
    ...rest,
  };
}

export function verdictOf(
  action: Verdict['action'],
  matches: Match[] = [],
  bend: Partial<Verdict> = {},
): Verdict {
  return { action, matches, freshness: 'FRESH', because: [], ...bend };
}
