import type { OriginPolicy, PublisherRoot } from '../../../proto/gen/hashfed/v1/root.js';
import { RootRole } from '../../../proto/gen/hashfed/v1/root.js';
import {
  compareBytes,
  formatCheckpoint,
  formatNote,
  type Leaf,
  portableSha256,
  signNote,
  type TreeState,
  utf8,
} from '../../../sdk/core/index.js';
import {
  encodeFreshness,
  encodeLiveness,
  encodeRoot,
  freshnessMessage,
  grant,
  livenessMessage,
  originPolicy,
  pk,
  rootMessage,
  signBody,
} from '../trust/bodies.js';
import { suite, type TestKey, testKey } from '../trust/keys.js';
import { cosigner, type Signer, sequencer } from '../trust/log.js';
import { ServedLog } from './log.js';

export type Keys = 'one' | 'two';
type FreshBend = Parameters<typeof freshnessMessage>[1];
type LiveBend = Parameters<typeof livenessMessage>[0];

/** A committed state of a list, as an honest server would serve it. */
export interface Head {
  readonly size: number;
  readonly keys: Keys;
  readonly note: Uint8Array;
}

/** An honest publisher in memory: its keys, root versions, lists, and the operator's statements about them. */
export class TestPublisher {
  /** `members/{member}`. */
  readonly name: string;
  readonly keys: {
    roots: [TestKey, TestKey, TestKey];
    list: TestKey;
    approve: TestKey;
    live: TestKey;
    freshness: TestKey;
  };
  readonly approver: string;
  readonly logs = new Map<string, ServedLog>();
  readonly heads = new Map<string, Head[]>();
  readonly roots: { message: PublisherRoot; envelope: Uint8Array }[] = [];
  readonly #now: () => number;

  constructor(member: string, origins: readonly Partial<OriginPolicy>[], now: () => number) {
    const key = (role: string) => testKey(`${member} ${role}`);
    this.name = `members/${member}`;
    this.approver = `approve.${member}.example`;
    this.#now = now;
    this.keys = {
      roots: [key('root 1'), key('root 2'), key('root 3')],
      list: key('list'),
      approve: key('approve'),
      live: key('live'),
      freshness: key('freshness'),
    };
    for (const { origin } of origins) this.open(origin!);
    this.rotate({ ...this.rootWith(this.keys), origins: origins.map((one) => this.policy(one)) });
  }

  open(origin: string): ServedLog {
    const log = new ServedLog(origin, this.#now);
    this.logs.set(origin, log);
    this.heads.set(origin, []);
    return log;
  }

  policy(bend: Partial<OriginPolicy>): OriginPolicy {
    return originPolicy({ sequencingKey: this.keys.list.publicKey, ...bend });
  }

  /** Keys and roles of a root that uses these keys. */
  rootWith(keys: TestPublisher['keys']): Pick<PublisherRoot, 'keys' | 'roles'> {
    return {
      keys: [
        ...keys.roots.map((one) => pk(one)),
        pk(keys.list),
        pk(keys.approve, this.approver),
        pk(keys.live),
        pk(keys.freshness),
      ],
      roles: [
        grant(RootRole.ROOT, 2, ...keys.roots),
        grant(RootRole.LIST, 1, keys.list),
        grant(RootRole.APPROVE, 1, keys.approve),
        grant(RootRole.LIVE, 1, keys.live),
        grant(RootRole.FRESHNESS, 1, keys.freshness),
      ],
    };
  }

  get root(): PublisherRoot {
    return this.roots.at(-1)!.message;
  }

  get rootSha256(): Uint8Array {
    return portableSha256.digest(encodeRoot(this.root));
  }

  get fingerprint(): Uint8Array {
    return portableSha256.digest(encodeRoot(this.roots[0]!.message));
  }

  /** The version after the newest, signed, but not published. */
  nextRoot(bend: Partial<PublisherRoot>, signers?: readonly TestKey[]): (typeof this.roots)[number] {
    const last = this.roots.at(-1)?.message;
    const chained =
      last === undefined
        ? rootMessage({ publisher: this.name })
        : { ...last, version: last.version + 1n, previousSha256: this.rootSha256 };
    const message = { ...chained, ...bend };
    const [a, b] = this.keys.roots;
    const origins = [...message.origins].sort((x, y) => compareBytes(utf8(x.origin), utf8(y.origin)));
    const whole = { ...message, origins };
    return { message: whole, envelope: signBody('root', encodeRoot(whole), ...(signers ?? [a, b])) };
  }

  rotate(bend: Partial<PublisherRoot>, signers?: readonly TestKey[]): void {
    this.roots.push(this.nextRoot(bend, signers));
  }

  log(origin: string): ServedLog {
    return this.logs.get(origin)!;
  }

  signers(origin: string, keys: Keys): Signer[] {
    const list = sequencer(this.keys.list, origin);
    return keys === 'one' ? [list] : [list, this.approval()];
  }

  approval(aheadS = 0): Signer {
    return cosigner(this.keys.approve, this.approver, Math.floor(this.#now() / 1000) + aheadS);
  }

  note(origin: string, state: TreeState, signers: readonly Signer[]): Uint8Array {
    return signedNote(formatCheckpoint({ origin, ...state }), signers);
  }

  /** Publishes honestly. */
  publish(origin: string, leaves: readonly (Leaf | Uint8Array)[], keys: Keys): void {
    const log = this.log(origin);
    const size = log.publish(leaves);
    this.commit(origin, size, keys);
  }

  commit(origin: string, size: number, keys: Keys): void {
    const note = this.note(origin, this.log(origin).at(size), this.signers(origin, keys));
    this.heads.get(origin)!.push({ size, keys, note });
  }

  head(origin: string): Head | undefined {
    return this.heads.get(origin)?.at(-1);
  }

  anchor(origin: string, size: number): Head | undefined {
    return this.heads.get(origin)?.findLast((head) => head.keys === 'two' && head.size <= size);
  }

  freshness(origin: string, state: TreeState, bend: FreshBend = {}, key = this.keys.freshness): Uint8Array {
    const now = this.#now();
    const message = freshnessMessage(this.rootSha256, {
      origin,
      size: BigInt(state.size),
      root: state.root,
      rootVersion: this.root.version,
      issuedAtMs: BigInt(now),
      notAfterMs: BigInt(now + 3_600_000),
      ...bend,
    });
    return signBody('freshness', encodeFreshness(message), key);
  }

  liveness(origin: string, state: TreeState, bend: LiveBend = {}, key = this.keys.live): Uint8Array {
    const message = livenessMessage({
      origin,
      size: BigInt(state.size),
      root: state.root,
      rootVersion: this.root.version,
      timeMs: BigInt(this.#now()),
      ...bend,
    });
    return signBody('liveness', encodeLiveness(message), key);
  }
}

/** A note over any body, well formed or not. */
export function signedNote(body: string, signers: readonly Signer[]): Uint8Array {
  return formatNote(
    body,
    signers.map(({ key, seed, timeS }) => signNote(suite, body, key, seed, timeS)),
  );
}
