import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { FramedWriter, makeKey, REQUEST_FILE, type SecretKey } from '../../../client/publisher/index.js';
import { encodeRootBody, signRootBody } from '../../../client/publisher/keys/index.js';
import { Purpose } from '../../../proto/gen/hashfed/v1/enums.js';
import { SignerRole, type SigningRange, SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import {
  CompactRange,
  concat,
  encodeBundle,
  encodeLeaf,
  ListState,
  parseOrigin,
} from '../../../sdk/core/index.js';
import { platformSuite } from '../../../sdk/hash/platform/index.js';

export const suite = platformSuite();
export const random = { bytes: (n: number) => new Uint8Array(randomBytes(n)) };
export const NOW = Date.UTC(2026, 0, 5);
export const clock = { nowMs: () => NOW, monotonicMs: () => 0 };
export const ORIGINS = ['p.example/known/md5/g1', 'p.example/known/sha256/g1'] as const;

export interface Keys {
  readonly root: SecretKey;
  readonly list: SecretKey;
  readonly approve: SecretKey;
  readonly envelope: Uint8Array;
}

export function makeKeys(): Keys {
  const make = (role: 'root' | 'list' | 'approve', name = '') => makeKey(role, name, random, suite.ed25519);
  const [root, list, approve] = [make('root'), make('list'), make('approve', 'p.example/approve-1')];
  const body = encodeRootBody(suite.sha256, {
    publisher: 'members/p',
    version: 1,
    issuedAtMs: NOW,
    expiresMs: NOW + 86_400_000,
    contact: { name: 'P', phone: '', email: 'a@p.example', hours: '', languages: ['en'] },
    criteria: { url: 'https://p.example/criteria', sha256: new Uint8Array(32) },
    keys: [root, list, approve],
    thresholds: { root: 1, approve: 1 },
    origins: ORIGINS.map((origin) => ({
      origin,
      purpose: Purpose.LISTED,
      sequencingKey: list.publicKey,
      oneKeyLimit: 0n,
      minSigners: 1,
      freshnessMaxS: 0,
      maxSilenceS: 0,
      maxSealAgeS: 0,
      eraseAfterS: 0,
      backupMaxS: 0,
      autoHold: undefined,
      handOver: undefined,
      succeeds: undefined,
    })),
  });
  return { root, list, approve, envelope: signRootBody(suite.ed25519, body, [root]) };
}

/** A list as its publisher knows it: state, tree, and every bundle since the start. */
export class TestList {
  readonly origin: string;
  readonly state: ListState;
  readonly tree = CompactRange.empty(suite.sha256);
  readonly trees = new Map<number, CompactRange>([[0, CompactRange.empty(suite.sha256)]]);
  readonly bundles: { from: number; to: number; bytes: Uint8Array; adds: number; withdrawals: number }[] = [];

  constructor(origin: string) {
    this.origin = origin;
    this.state = ListState.empty(parseOrigin(origin), suite.sha256);
  }

  /** Appends `adds` random additions, the withdrawals of `targets` and a SEAL. */
  grow(adds: number, timeMs = NOW, targets: readonly number[] = []): void {
    const md5 = this.origin.includes('md5');
    const additions = Array.from({ length: adds }, () =>
      encodeLeaf({
        kind: 'add',
        timeMs,
        readd: false,
        hashType: md5 ? 1 : 3,
        scheme: 1,
        code: 1,
        verifications: 0,
        itemId: random.bytes(16),
        blind: random.bytes(16),
        hash: random.bytes(md5 ? 16 : 32),
        meta: new Uint8Array(),
      }),
    );
    const withdraw = (targetIndex: number) =>
      encodeLeaf({ kind: 'withdraw', timeMs, targetIndex, reason: 1, meta: new Uint8Array() });
    const leaves = [...additions, ...targets.map(withdraw)];
    const staging = this.state.stage();
    const from = staging.next;
    staging.append(encodeBundle(leaves), from);
    const seal = encodeLeaf(staging.planSeal(timeMs, random.bytes(16)));
    staging.append(encodeBundle([seal]), staging.next);
    staging.finish();
    staging.commit();
    const bytes = encodeBundle([...leaves, seal]);
    this.tree.append(suite.sha256.hashLeaves(bytes, leaves.length + 1));
    this.trees.set(this.tree.size, this.tree.clone());
    this.bundles.push({ from, to: this.tree.size, bytes, adds, withdrawals: targets.length });
  }

  since(from: number) {
    return this.bundles.filter((one) => one.from >= from);
  }

  range(from: number): SigningRange {
    const bundles = this.since(from);
    const counts = {
      added: BigInt(bundles.reduce((sum, { adds }) => sum + adds, 0)),
      amended: 0n,
      withdrawn: BigInt(bundles.reduce((sum, { withdrawals }) => sum + withdrawals, 0)),
      withdrawnOlder: 0n,
      holds: 0n,
      heldOlder: 0n,
      setCount: BigInt(this.state.count),
    };
    return {
      origin: this.origin,
      from: BigInt(from),
      fromNote: new Uint8Array(),
      compactRange: concat(...this.trees.get(from)!.hashes),
      to: BigInt(this.tree.size),
      root: this.tree.root(),
      entriesSha256: new Uint8Array(
        createHash('sha256')
          .update(concat(...bundles.map(({ bytes }) => bytes)))
          .digest(),
      ),
      counts,
      sinceAnchor: counts,
      oneKey: [],
      purpose: Purpose.LISTED,
      note: new Uint8Array(),
      anchorSetCount: 0n,
    };
  }
}

export interface RequestPlan {
  readonly folder: string;
  readonly name: string;
  readonly keys: Keys;
  readonly role: 'list' | 'approve';
  readonly lists: readonly (readonly [list: TestList, from: number])[];
  readonly change?: (range: SigningRange) => SigningRange;
}

/** Writes a request as the workstation does, `change` apart. */
export async function writeTestRequest(plan: RequestPlan): Promise<string> {
  const file = join(plan.folder, plan.name);
  const change = plan.change ?? ((range: SigningRange) => range);
  const request: SigningRequest = {
    formatVersion: 1,
    requestId: random.bytes(16),
    createdMs: BigInt(NOW),
    role: plan.role === 'list' ? SignerRole.LIST : SignerRole.APPROVE,
    key: plan.keys[plan.role].publicKey,
    root: plan.keys.envelope,
    batch: 'batches/1',
    ranges: plan.lists.map(([list, from]) => change(list.range(from))),
  };
  const writer = await FramedWriter.create(file, REQUEST_FILE, SigningRequest.encode(request).finish());
  for (const [list, from] of plan.lists) {
    for (const { bytes } of list.since(from)) await writer.bundle(bytes);
    await writer.endList();
  }
  await writer.finish();
  return file;
}
