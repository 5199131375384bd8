import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  type BodySigner,
  countSigners,
  fromHex,
  HashfedError,
  malformed,
  nextRoot,
  type PublisherRoot,
  packDsse,
  pae,
  parseDsse,
  parseRoot,
  payloadType,
  type Suite,
  toHex,
  verifyStrict,
} from '../../../sdk/core/index.js';

/** Two roots of at most 512 KiB in hexadecimal, and signatures. */
const MAX_PROPOSAL_BYTES = 4 * 1024 * 1024;
const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/);

const Schema = z.strictObject({
  format: z.literal(1),
  kind: z.literal('root-proposal'),
  /** The signed version before, so that signers see offline what changes. */
  current: hex,
  body: hex,
  signatures: z.array(z.strictObject({ key: hex.length(64), signature: hex.length(128) })).max(64),
});

/** A next root that collects signatures; it travels between the holders of root keys as a file. */
export interface RootProposal {
  readonly current: PublisherRoot;
  readonly currentEnvelope: Uint8Array;
  readonly next: PublisherRoot;
  readonly signatures: readonly { readonly key: Uint8Array; readonly signature: Uint8Array }[];
}

export function newProposal(suite: Suite, currentEnvelope: Uint8Array, body: Uint8Array): RootProposal {
  return checked(suite, { currentEnvelope, body, signatures: [] });
}

/** Reads a proposal. Signatures that do not verify are refused, so that a damaged copy shows. Throws USAGE, MALFORMED. */
export async function loadProposal(suite: Suite, file: string): Promise<RootProposal> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read the proposal ${file}`, { field: 'proposal', cause });
  });
  if (bytes.length > MAX_PROPOSAL_BYTES) malformed('proposal', `is over ${MAX_PROPOSAL_BYTES} bytes`);
  const parsed = Schema.safeParse(safeJson(bytes.toString('utf8')));
  if (!parsed.success)
    throw new HashfedError('USAGE', `${file} is no root proposal of format 1`, { field: 'proposal' });
  const { current, body, signatures } = parsed.data;
  return checked(suite, {
    currentEnvelope: fromHex(current),
    body: fromHex(body),
    signatures: signatures.map(({ key, signature }) => ({
      key: fromHex(key),
      signature: fromHex(signature),
    })),
  });
}

export async function saveProposal(file: string, proposal: RootProposal): Promise<void> {
  const { currentEnvelope, next, signatures } = proposal;
  const json = {
    format: 1,
    kind: 'root-proposal',
    current: toHex(currentEnvelope),
    body: toHex(next.body),
    signatures: signatures.map(({ key, signature }) => ({ key: toHex(key), signature: toHex(signature) })),
  };
  await writeFile(file, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o644 });
}

interface Raw {
  readonly currentEnvelope: Uint8Array;
  readonly body: Uint8Array;
  readonly signatures: RootProposal['signatures'];
}

function checked(suite: Suite, { currentEnvelope, body, signatures }: Raw): RootProposal {
  const held = parseDsse('root', currentEnvelope);
  const current = parseRoot(suite.sha256, held.body);
  const { keys, threshold } = current.roles.root;
  const rootKeys = keys.filter(({ ed25519 }) => ed25519).map(({ key }) => key);
  if (countSigners(suite, 'root', held, rootKeys) < threshold)
    throw new HashfedError(
      'BAD_SIGNATURE',
      'the root that the proposal follows is not signed by its root keys',
    );
  const next = parseRoot(suite.sha256, body);
  if (next.version !== current.version + 1 || next.publisher !== current.publisher)
    malformed('proposal', 'does not follow the root it carries');
  if (toHex(next.previousSha256 ?? new Uint8Array()) !== toHex(current.sha256))
    malformed('proposal', 'names another root as the one before');
  const message = pae(payloadType('root'), body);
  for (const { key, signature } of signatures)
    if (!verifyStrict(suite.ed25519, key, message, signature))
      throw new HashfedError('BAD_SIGNATURE', 'the proposal carries a bad signature', {
        field: 'signatures',
      });
  return { current, currentEnvelope, next, signatures };
}

/** Adds one holder's signature. Throws USAGE for a key that neither version names as a root key. */
export function signProposal(proposal: RootProposal, signer: BodySigner): RootProposal {
  const id = toHex(signer.publicKey);
  const roots = [...proposal.current.roles.root.keys, ...proposal.next.roles.root.keys];
  if (!roots.some(({ key }) => toHex(key) === id))
    throw new HashfedError('USAGE', 'neither root version names this root key', { field: 'root_key' });
  const others = proposal.signatures.filter(({ key }) => toHex(key) !== id);
  const signature = signer.sign(pae(payloadType('root'), proposal.next.body));
  return { ...proposal, signatures: [...others, { key: signer.publicKey, signature }] };
}

/** Puts the signatures of several copies together. Throws USAGE where they are of different bodies. */
export function mergeProposals(proposals: readonly RootProposal[]): RootProposal {
  const [first, ...rest] = proposals;
  if (first === undefined || rest.some(({ next }) => toHex(next.sha256) !== toHex(first.next.sha256)))
    throw new HashfedError('USAGE', 'the proposals are of different roots', { field: 'proposal' });
  const signatures = new Map(proposals.flatMap((one) => one.signatures).map((one) => [toHex(one.key), one]));
  return { ...first, signatures: [...signatures.values()] };
}

/** How many root keys of each version signed, and how many must. */
export interface Signed {
  readonly old: { readonly have: number; readonly need: number };
  readonly next: { readonly have: number; readonly need: number };
  readonly complete: boolean;
}

export function signedBy({ current, next, signatures }: RootProposal): Signed {
  const have = new Set(signatures.map(({ key }) => toHex(key)));
  const count = ({ roles }: PublisherRoot) => ({
    have: roles.root.keys.filter(({ key }) => have.has(toHex(key))).length,
    need: roles.root.threshold,
  });
  const [old, fresh] = [count(current), count(next)];
  return { old, next: fresh, complete: old.have >= old.need && fresh.have >= fresh.need };
}

/** The signed root, checked as every client will. Throws THRESHOLD_NOT_MET and what `nextRoot` throws. */
export function proposalEnvelope(suite: Suite, { current, next, signatures }: RootProposal): Uint8Array {
  if (signatures.length === 0) throw new HashfedError('THRESHOLD_NOT_MET', 'the proposal has no signature');
  const envelope = packDsse('root', next.body, signatures);
  nextRoot(suite, current, envelope);
  return envelope;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
