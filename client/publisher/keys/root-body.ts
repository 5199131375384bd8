import { SignatureAlgorithm } from '../../../proto/gen/hashfed/v1/enums.js';
import {
  type OriginPolicy,
  PublisherRoot,
  type RoleGrant,
  RootRole,
} from '../../../proto/gen/hashfed/v1/root.js';
import {
  compareBytes,
  type Ed25519,
  parseRoot,
  type Sha256,
  seedSigner,
  signDsse,
} from '../../../sdk/core/index.js';
import type { KeyRole, SecretKey } from './key-file.js';

/** A public key as a root names it. */
export interface NamedKey {
  readonly role: KeyRole;
  readonly name: string;
  readonly publicKey: Uint8Array;
}

export interface RootPlan {
  /** `members/{member}`. */
  readonly publisher: string;
  readonly version: number;
  readonly issuedAtMs: number;
  readonly expiresMs: number;
  readonly contact: NonNullable<PublisherRoot['contact']>;
  readonly criteria: NonNullable<PublisherRoot['criteria']>;
  readonly keys: readonly NamedKey[];
  readonly thresholds: { readonly root: number; readonly approve: number };
  readonly origins: readonly OriginPolicy[];
  readonly former?: PublisherRoot['former'];
  /** Empty in version 1. */
  readonly previousSha256?: Uint8Array;
}

const ROLES: readonly (readonly [KeyRole, RootRole])[] = [
  ['root', RootRole.ROOT],
  ['list', RootRole.LIST],
  ['approve', RootRole.APPROVE],
  ['live', RootRole.LIVE],
  ['freshness', RootRole.FRESHNESS],
];

/** The body bytes of a root, checked as every verifier will. Throws `MALFORMED` naming the field. */
export function encodeRootBody(sha: Sha256, plan: RootPlan): Uint8Array {
  const body = PublisherRoot.encode({
    publisher: plan.publisher,
    version: BigInt(plan.version),
    issuedAtMs: BigInt(plan.issuedAtMs),
    expiresMs: BigInt(plan.expiresMs),
    contact: plan.contact,
    criteria: plan.criteria,
    keys: plan.keys.map(({ name, publicKey }) => ({
      algorithm: SignatureAlgorithm.ED25519,
      key: publicKey,
      name,
    })),
    roles: grants(plan),
    origins: [...plan.origins].sort((a, b) => compareBytes(Buffer.from(a.origin), Buffer.from(b.origin))),
    former: plan.former ?? [],
    previousSha256: plan.previousSha256 ?? new Uint8Array(),
  }).finish();
  parseRoot(sha, body);
  return body;
}

function grants(plan: RootPlan): RoleGrant[] {
  return ROLES.flatMap(([name, role]) => {
    const keys = plan.keys
      .filter((key) => key.role === name)
      .map((key) => key.publicKey)
      .sort(compareBytes);
    const threshold = name === 'root' || name === 'approve' ? plan.thresholds[name] : 1;
    return keys.length === 0 ? [] : [{ role, threshold, keys }];
  });
}

/** Signs a root body with root keys: those of this version and, from version 2 on, of the version before. */
export function signRootBody(ed25519: Ed25519, body: Uint8Array, signers: readonly SecretKey[]): Uint8Array {
  return signDsse(
    'root',
    body,
    signers.map((key) => seedSigner(ed25519, key.seed)),
  );
}
