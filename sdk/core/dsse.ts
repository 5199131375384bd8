/** DSSE (Dead Simple Signing Envelope, protocol v1) over canonical protobuf bodies, in a protobuf envelope. */
import { DsseEnvelope } from '../../proto/gen/hashfed/v1/dsse.js';
import { SignatureAlgorithm } from '../../proto/gen/hashfed/v1/enums.js';
import { decodeStrict } from './body.js';
import { concat, toHex } from './bytes.js';
import type { Ed25519 } from './ed25519.js';
import { HashfedError, malformed } from './errors.js';
import { MAX_BODY_BYTES, MAX_ENVELOPE_SIGNATURES } from './limits.js';
import { PUBLIC_KEY_BYTES, verifyStrict } from './signature.js';
import type { Suite } from './suite.js';
import { utf8 } from './utf8.js';
import { countField } from './wire.js';

/** Every kind of signed body. A verifier names the one it expects; another kind's bytes never verify. */
export const BODY_KINDS = [
  'root',
  'directory',
  'freshness',
  'liveness',
  'telemetry',
  'receipt',
  'notice',
  'delivery',
  'action',
  'observation',
  'order',
  'case',
  'blinded-set',
  'mandate',
  'freeze',
  'dossier',
] as const;
export type BodyKind = (typeof BODY_KINDS)[number];

/** Room for the payload type, the field headers and 64 signatures, bytes. */
const ENVELOPE_OVERHEAD_BYTES = 16 * 1024;

/** Number of DsseEnvelope.signatures. */
const SIGNATURES_FIELD = 3;

/** `threshold` distinct keys out of `keys` (raw public keys) must have signed. */
export interface KeyThreshold {
  readonly keys: readonly Uint8Array[];
  readonly threshold: number;
}

export interface SignedBody {
  /** The signed bytes, verbatim. */
  readonly body: Uint8Array;
  readonly signatures: readonly { readonly key: Uint8Array; readonly signature: Uint8Array }[];
}

/** Whatever holds a private key. `sign` returns the 64-byte Ed25519 signature of `message`. */
export interface BodySigner {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

export function payloadType(kind: BodyKind): string {
  return `application/vnd.hashfed.${kind}+proto;v=1`;
}

/** `"DSSEv1 " ‖ len(type) ‖ " " ‖ type ‖ " " ‖ len(body) ‖ " " ‖ body`, lengths in decimal bytes. */
export function pae(type: string, body: Uint8Array): Uint8Array {
  return concat(utf8(`DSSEv1 ${utf8(type).length} ${type} ${body.length} `), body);
}

/** The serialised envelope of `body`, which must be canonical already, signed by each signer in turn. */
export function signDsse(kind: BodyKind, body: Uint8Array, signers: readonly BodySigner[]): Uint8Array {
  const message = pae(payloadType(kind), body);
  return packDsse(
    kind,
    body,
    signers.map((signer) => ({ key: signer.publicKey, signature: signer.sign(message) })),
  );
}

/** The serialised envelope of a body and signatures made elsewhere (another machine, an HSM). */
export function packDsse(kind: BodyKind, body: Uint8Array, signatures: SignedBody['signatures']): Uint8Array {
  return DsseEnvelope.encode({
    payloadType: payloadType(kind),
    payload: body,
    signatures: signatures.map((one) => ({
      algorithm: SignatureAlgorithm.ED25519,
      key: one.key,
      signature: one.signature,
    })),
  }).finish();
}

/** A signer with its seed at hand. */
export function seedSigner(backend: Ed25519, seed: Uint8Array): BodySigner {
  const own = seed.slice();
  return { publicKey: backend.publicKey(own), sign: (message) => backend.sign(own, message) };
}

/** Splits an envelope, verifying nothing. Throws `MALFORMED`, also for another kind than the expected one. */
export function parseDsse(kind: BodyKind, envelope: Uint8Array, maxBytes = MAX_BODY_BYTES): SignedBody {
  const cap = maxBytes + ENVELOPE_OVERHEAD_BYTES;
  if (envelope.length > cap) malformed('envelope', `is over ${cap} bytes`);
  const count = countField(envelope, SIGNATURES_FIELD) ?? malformed('envelope', 'is not in canonical form');
  if (count > MAX_ENVELOPE_SIGNATURES)
    malformed('envelope', `has over ${MAX_ENVELOPE_SIGNATURES} signatures`);
  const { payloadType: type, payload, signatures } = decodeStrict(DsseEnvelope, envelope, 'envelope', cap);
  if (type !== payloadType(kind)) malformed('envelope', `is not of kind ${kind}`);
  if (payload.length > maxBytes) malformed('envelope', `holds a body over ${maxBytes} bytes`);
  if (signatures.length === 0) malformed('envelope', 'has no signature');
  const known = signatures.filter((one) => one.algorithm === SignatureAlgorithm.ED25519);
  return { body: payload, signatures: known.map(({ key, signature }) => ({ key, signature })) };
}

/** How many distinct public keys of `keys` have a good signature. Bad and foreign signatures are not counted. */
export function countSigners(
  suite: Suite,
  kind: BodyKind,
  signed: SignedBody,
  keys: readonly Uint8Array[],
): number {
  const wanted = new Set(keys.filter((key) => key.length === PUBLIC_KEY_BYTES).map(toHex));
  const message = pae(payloadType(kind), signed.body);
  const good = new Set<string>();
  for (const { key, signature } of signed.signatures) {
    const text = toHex(key);
    if (!wanted.has(text) || good.has(text)) continue;
    if (verifyStrict(suite.ed25519, key, message, signature)) good.add(text);
  }
  return good.size;
}

/** Throws `THRESHOLD_NOT_MET`. A threshold below 1 is never met. */
export function checkThreshold(suite: Suite, kind: BodyKind, signed: SignedBody, rule: KeyThreshold): void {
  const count = rule.threshold >= 1 ? countSigners(suite, kind, signed, rule.keys) : 0;
  if (rule.threshold < 1 || count < rule.threshold) {
    throw new HashfedError('THRESHOLD_NOT_MET', `${kind}: ${count} of ${rule.threshold} required signatures`);
  }
}

/** The body, verbatim, if enough of the keys signed it. Throws `MALFORMED` or `THRESHOLD_NOT_MET`. */
export function verifyDsse(
  suite: Suite,
  kind: BodyKind,
  envelope: Uint8Array,
  rule: KeyThreshold,
  maxBytes = MAX_BODY_BYTES,
): Uint8Array {
  const signed = parseDsse(kind, envelope, maxBytes);
  checkThreshold(suite, kind, signed, rule);
  return signed.body;
}
