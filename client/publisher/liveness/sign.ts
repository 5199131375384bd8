import { Liveness } from '../../../proto/gen/hashfed/v1/statements.js';
import {
  type BodySigner,
  HashfedError,
  type PublisherRoot,
  seedSigner,
  signDsse,
  statementKeys,
  type TreeState,
  toHex,
} from '../../../sdk/core/index.js';
import { callUnary } from '../../../sdk/rpc/index.js';
import { PublishServiceService } from '../../../sdk/rpc/services/publish.js';
import { keysAtHand, openKey, type Workstation } from '../workstation/index.js';
import { loadOwnHeads, type OwnHead } from './own-heads.js';

const CALL_MS = 30_000;

/** Signs that these are the newest states of our lists; one DSSE statement a list. */
export function signLiveness(
  signer: BodySigner,
  rootVersion: number,
  heads: readonly (TreeState & { readonly origin: string })[],
  nowMs: number,
): Uint8Array[] {
  return heads.map(({ origin, size, root }) => {
    const statement = {
      origin,
      rootVersion: BigInt(rootVersion),
      size: BigInt(size),
      root,
      timeMs: BigInt(nowMs),
    };
    return signDsse('liveness', Liveness.encode(statement).finish(), [signer]);
  });
}

/** The live key of the root, where it lies in the keys folder; undefined where it does not, or the root has none. */
export async function liveSigner(
  { paths, root, suite }: Pick<Workstation, 'paths' | 'root' | 'suite'>,
  passphrase: string | undefined,
): Promise<BodySigner | undefined> {
  const named = new Set(statementKeys(root, 'live').map(toHex));
  const keys = await keysAtHand(paths.keys);
  const live = keys.find(({ stored }) => stored.role === 'live' && named.has(stored.public_key));
  if (live === undefined) return undefined;
  const { seed } = await openKey(live, 'live', suite.ed25519, passphrase);
  return seedSigner(suite.ed25519, seed);
}

/** Our own heads that the root still names. */
export async function ownHeads(records: string, root: PublisherRoot): Promise<OwnHead[]> {
  const held = await loadOwnHeads(records);
  return [...held.values()].filter(({ origin }) => root.origins.has(origin));
}

/** Hands liveness statements of `heads` to the server. Throws what the call throws. */
export async function putLiveness(
  station: Workstation,
  signer: BodySigner,
  heads: readonly OwnHead[],
): Promise<void> {
  const { clock, root, signal, channel } = station;
  const envelopes = signLiveness(signer, root.version, heads, clock.nowMs());
  if (envelopes.length === 0) return;
  const limits = { deadlineMs: CALL_MS, signal };
  await callUnary(channel, PublishServiceService.putLiveness, { envelopes }, limits);
}

/**
 * After a commit: says that we live, where the live key is at hand. The batch is published either way, so a failure
 * only answers false; `hashfed watch-own` says it again within the hour.
 */
export async function announce(
  station: Workstation,
  heads: readonly OwnHead[],
  passphrase: string | undefined,
): Promise<boolean> {
  try {
    const signer = await liveSigner(station, passphrase);
    if (signer === undefined) return false;
    await putLiveness(station, signer, heads);
    return true;
  } catch (error) {
    if (error instanceof HashfedError) return false;
    throw error;
  }
}
