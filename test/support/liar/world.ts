import type { CheckpointBundle } from '../../../proto/gen/hashfed/v1/common.js';
import type { CosignerPolicy, Suite } from '../../../sdk/core/index.js';
import type { SyncResult } from '../../../sdk/sync/index.js';
import { makeTestFederation, testPki } from '../pki.js';
import { DAY, T0 } from '../trust/bodies.js';
import type { Signer } from '../trust/log.js';
import { Liar, type ServerIdentity } from './liar.js';
import type { AddOver, ServedLog } from './log.js';
import { type Keys, TestPublisher } from './publisher.js';
import { Victim, type VictimOptions } from './victim.js';

export const ORIGIN = 'police.example/abuse/sha256/g1';
/** Another list of the same publisher, same type and same sequencing key. */
export const OTHER = 'police.example/known/sha256/g1';
export const HOTLINE = 'hotline.example/abuse/sha256/g1';
/** Records of the first batch, which two keys sign; one key may change 20 above it. */
export const FIRST = 50;
export const HOUR = 3_600_000;
const START_MS = T0 + 30 * DAY;

export interface WorldOptions {
  readonly suite?: Suite;
  readonly cosigners?: CosignerPolicy;
  /** Trusts the hotline too, before the police. */
  readonly both?: boolean;
  /** Two sources: the liar, then an honest mirror. */
  readonly mirror?: boolean;
  /** Settings of the police's lists in root version 1. */
  readonly policy?: Parameters<TestPublisher['policy']>[0];
  /** No first batch. */
  readonly empty?: boolean;
}

export class MovingClock {
  offsetMs = 0;
  monotonicOffsetMs = 0;
  nowMs = (): number => START_MS + this.offsetMs;
  monotonicMs = (): number => 1_000_000 + this.monotonicOffsetMs;

  /** Time passes, for every clock. */
  pass(ms: number): void {
    this.offsetMs += ms;
    this.monotonicOffsetMs += ms;
  }
}

/** The servers of one test file: starting them costs more than a case. */
export interface Servers {
  readonly liar: Liar;
  readonly honest: Liar;
  readonly identity: ServerIdentity;
  readonly tls: VictimOptions['tls'];
  stop(): void;
}

export async function startServers(): Promise<Servers> {
  const identity = await makeTestFederation(testPki().environment);
  const member = await identity.member('hoster-a');
  const [liar, honest] = [await Liar.start(identity), await Liar.start(identity)];
  const tls = {
    ca: Buffer.from(identity.ca.certificatePem),
    certificate: Buffer.from(member.certificatePem),
    key: Buffer.from(member.keyPem),
  };
  const stop = () => {
    liar.stop();
    honest.stop();
  };
  return { liar, honest, identity, tls, stop };
}

/** Two publishers, a server that may lie, perhaps an honest one, and a client that holds the first batch. */
export class World {
  readonly clock = new MovingClock();
  readonly police: TestPublisher;
  readonly hotline: TestPublisher;
  readonly liar: Liar;
  readonly servers: Servers;
  readonly options: WorldOptions;
  victim!: Victim;
  /** What the last sync said. */
  last: SyncResult | undefined;
  #named = 0;
  readonly #endings: (() => Promise<void>)[] = [];

  private constructor(servers: Servers, options: WorldOptions) {
    this.servers = servers;
    this.options = options;
    this.liar = servers.liar;
    const now = this.clock.nowMs;
    const { policy = {} } = options;
    this.police = new TestPublisher(
      'police',
      [
        { origin: ORIGIN, ...policy },
        { origin: OTHER, ...policy },
      ],
      now,
    );
    this.hotline = new TestPublisher('hotline', [{ origin: HOTLINE }], now);
    for (const server of [servers.liar, servers.honest]) {
      server.lies = {};
      server.publishers = [this.police, this.hotline];
    }
  }

  static async make(servers: Servers, options: WorldOptions): Promise<World> {
    const world = new World(servers, options);
    if (options.empty !== true) {
      world.police.publish(ORIGIN, world.adds(FIRST), 'two');
      world.police.publish(OTHER, world.police.log(OTHER).adds('other', 10), 'two');
      world.hotline.publish(HOTLINE, world.hotline.log(HOTLINE).adds('hotline', FIRST), 'two');
    }
    world.victim = await Victim.open(world.#victimOptions());
    return world;
  }

  #victimOptions(): VictimOptions {
    const { suite, cosigners, both, mirror } = this.options;
    const pins = (both === true ? [this.hotline, this.police] : [this.police]).map((one) => ({
      publisher: one.name,
      fingerprint: one.fingerprint,
    }));
    return {
      trust: pins,
      sources: mirror === true ? [this.liar.address, this.servers.honest.address] : [this.liar.address],
      tls: this.servers.tls,
      clock: this.clock,
      ...(suite && { suite }),
      ...(cosigners && { cosigners }),
    };
  }

  get log(): ServedLog {
    return this.police.log(ORIGIN);
  }

  /** Fresh additions, never the same twice. */
  adds(count: number, over: AddOver = {}) {
    this.#named += 1;
    return this.log.adds(`batch ${this.#named}`, count, over);
  }

  /** The police publishes honestly. */
  more(count = 5, keys: Keys = 'one'): void {
    this.police.publish(ORIGIN, this.adds(count), keys);
  }

  /** Bends what comes with the checkpoint. */
  offer(bend: Partial<CheckpointBundle> | ((honest: CheckpointBundle) => Partial<CheckpointBundle>)): void {
    this.liar.lies.checkpoint = (honest) => ({
      ...honest,
      ...(typeof bend === 'function' ? bend(honest) : bend),
    });
  }

  /** Serves another log of the police's, whole, with notes that `signers` really signed. */
  serve(log: ServedLog, signers: Keys | readonly Signer[], bend: Partial<CheckpointBundle> = {}): void {
    const origin = log.origin.text;
    const state = log.at();
    const keys = typeof signers === 'string' ? this.police.signers(origin, signers) : signers;
    const note = this.police.note(origin, state, keys);
    this.liar.lies.log = log;
    this.offer({
      note,
      freshness: this.police.freshness(origin, state),
      liveness: this.police.liveness(origin, state),
      ...(signers === 'two' && { anchorNote: note }),
      ...bend,
    });
  }

  async sync(origin = ORIGIN): Promise<SyncResult> {
    this.last = await this.victim.sync(origin);
    return this.last;
  }

  standing(origin = ORIGIN) {
    return this.victim.standing(origin);
  }

  /** The publisher goes on from what was served last. */
  adopt(): void {
    const { log } = this.liar.lies;
    if (log !== undefined) this.police.logs.set(ORIGIN, log);
  }

  /** What has to be put right, at the latest when the case is over. */
  onConfess(end: () => Promise<void>): void {
    this.#endings.push(end);
  }

  /** From now on both servers are honest, the clock is right, and demands that nobody can meet are dropped. */
  async confess(dropCosigners: boolean): Promise<void> {
    this.servers.liar.lies = {};
    for (const end of this.#endings.splice(0)) await end();
    this.clock.offsetMs = Math.max(this.clock.offsetMs, this.clock.monotonicOffsetMs);
    if (dropCosigners) await this.victim.restart({ cosigners: { keys: [], needed: 0 } });
  }

  async remove(): Promise<void> {
    for (const end of this.#endings.splice(0)) await end();
    await this.victim.remove();
  }
}
