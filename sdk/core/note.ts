/** C2SP signed-note: parsing, verifier keys and key IDs, signing and verifying. https://c2sp.org/signed-note */
import { fromBase64, toBase64 } from './base64.js';
import { concat, toHex } from './bytes.js';
import { cosignedMessage, packCosignature, unpackCosignature } from './cosignature.js';
import type { Ed25519 } from './ed25519.js';
import { HashfedError, malformed } from './errors.js';
import { MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES } from './limits.js';
import type { Sha256 } from './sha256.js';
import { isStrictPublicKey, PUBLIC_KEY_BYTES, verifyStrict } from './signature.js';
import type { Suite } from './suite.js';
import { fromUtf8, utf8 } from './utf8.js';

/** Signature type 0x01: plain Ed25519 over the note body. */
export const ALG_ED25519 = 0x01;
/** Signature type 0x04: timestamped Ed25519 cosignature/v1. */
export const ALG_COSIGNATURE = 0x04;
export type NoteAlgorithm = typeof ALG_ED25519 | typeof ALG_COSIGNATURE;

/** A key as notes know it. Two keys are the same key if their bytes are, whatever their names. */
export interface NoteKey {
  readonly name: string;
  readonly algorithm: NoteAlgorithm;
  readonly publicKey: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  /** Everything after the key ID; its layout is the algorithm's. */
  readonly bytes: Uint8Array;
  /** The line as it stands in the note, without its newline. */
  readonly line: string;
}

export interface Note {
  /** The signed text with its final newline. */
  readonly body: string;
  /** The signed bytes: two notes are the same checkpoint if these are equal. */
  readonly bodyBytes: Uint8Array;
  readonly signatures: readonly NoteSignature[];
}

/** A signature that verified. `timeS` (Unix seconds, up to 2^64) only for 0x04; nobody has judged it yet. */
export interface VerifiedSignature {
  readonly key: NoteKey;
  readonly timeS?: number;
}

export interface VerifiedNote extends Note {
  readonly verified: readonly VerifiedSignature[];
}

const SIGNATURE_PREFIX = '\u2014 ';
const KEY_ID_BYTES = 4;

/** Key names are non-empty and hold no white space and no plus sign. */
export function isKeyName(name: string): boolean {
  return name !== '' && !/[\p{White_Space}\p{Surrogate}+]/u.test(name);
}

/** The first 4 bytes of SHA-256(name ‖ "\n" ‖ algorithm ‖ public key). */
export function noteKeyId(sha: Sha256, key: NoteKey): Uint8Array {
  const parts = [utf8(`${key.name}\n`), Uint8Array.of(key.algorithm), key.publicKey];
  return sha.digest(...parts).slice(0, KEY_ID_BYTES);
}

/** `name+hex(key ID)+base64(algorithm ‖ public key)`. */
export function formatVkey(sha: Sha256, key: NoteKey): string {
  const encoded = toBase64(concat(Uint8Array.of(key.algorithm), key.publicKey));
  return `${key.name}+${toHex(noteKeyId(sha, key))}+${encoded}`;
}

/** Throws `MALFORMED` for anything but a well-formed vkey of algorithm 0x01 or 0x04 with its own key ID. */
export function parseVkey(sha: Sha256, text: string): NoteKey {
  const [name, id, ...rest] = text.split('+');
  const encoded = fromBase64(rest.join('+'), 'vkey');
  const algorithm = encoded[0];
  if (name === undefined || !isKeyName(name)) return malformed('vkey', 'has no valid key name');
  if (algorithm !== ALG_ED25519 && algorithm !== ALG_COSIGNATURE) malformed('vkey', 'unknown algorithm');
  const key: NoteKey = { name, algorithm, publicKey: encoded.slice(1) };
  checkNoteKey(key, 'vkey');
  if (id !== toHex(noteKeyId(sha, key))) malformed('vkey', 'key ID does not match the key');
  return key;
}

/** Throws `MALFORMED` naming `field`. */
export function checkNoteKey(key: NoteKey, field: string): void {
  if (!isKeyName(key.name)) malformed(field, 'is no valid key name');
  if (key.publicKey.length !== PUBLIC_KEY_BYTES) malformed(field, 'a public key has 32 bytes');
  if (!isStrictPublicKey(key.publicKey)) malformed(field, 'is a weak or non-canonical public key');
}

/** Splits a note, verifying nothing. Throws `MALFORMED`. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > MAX_NOTE_BYTES) malformed('note', `is over ${MAX_NOTE_BYTES} bytes`);
  const text = fromUtf8(bytes, 'note');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the specification forbids exactly these.
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) malformed('note', 'holds a control character');
  const split = text.lastIndexOf('\n\n');
  if (split < 0) malformed('note', 'has no signature block');
  const body = text.slice(0, split + 1);
  const lines = text.slice(split + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0) malformed('note', 'ends without a signature line');
  if (lines.length > MAX_NOTE_SIGNATURES) malformed('note', `has over ${MAX_NOTE_SIGNATURES} signatures`);
  return { body, bodyBytes: utf8(body), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line: string): NoteSignature {
  if (!line.startsWith(SIGNATURE_PREFIX)) malformed('note', 'holds a line that is no signature line');
  const [name, encoded, more] = line.slice(SIGNATURE_PREFIX.length).split(' ');
  if (name === undefined || encoded === undefined || more !== undefined || !isKeyName(name)) {
    return malformed('note', 'holds a malformed signature line');
  }
  const blob = fromBase64(encoded, 'note');
  if (blob.length <= KEY_ID_BYTES) malformed('note', 'holds an empty signature');
  return { name, keyId: blob.slice(0, KEY_ID_BYTES), bytes: blob.slice(KEY_ID_BYTES), line };
}

/** The note of `body` (ends in a newline) and these signature lines, in order. */
export function formatNote(body: string, lines: readonly string[]): Uint8Array {
  if (!body.endsWith('\n') || lines.length === 0) malformed('note', 'needs a final newline and a signature');
  return utf8(`${body}\n${lines.map((line) => `${line}\n`).join('')}`);
}

/**
 * Verifies every signature line of a known key (name and key ID both match). One bad signature of a known key
 * rejects the note with `BAD_SIGNATURE`; lines of other keys are ignored, since anybody can add them.
 * Who must have signed is the caller's policy. Throws `MALFORMED` too.
 */
export function verifyNote(suite: Suite, bytes: Uint8Array, keys: readonly NoteKey[]): VerifiedNote {
  const note = parseNote(bytes);
  const known = indexKeys(suite.sha256, keys);
  const verified: VerifiedSignature[] = [];
  for (const signature of note.signatures) {
    const key = known.get(`${signature.name}+${toHex(signature.keyId)}`);
    if (key !== undefined) verified.push(verifySignature(suite.ed25519, key, note, signature));
  }
  return { ...note, verified };
}

/** By name and key ID. Two different keys under one name and ID would be ambiguous: refused. */
function indexKeys(sha: Sha256, keys: readonly NoteKey[]): Map<string, NoteKey> {
  const index = new Map<string, NoteKey>();
  for (const key of keys) {
    const id = `${key.name}+${toHex(noteKeyId(sha, key))}`;
    const other = index.get(id);
    if (other !== undefined && toHex(other.publicKey) !== toHex(key.publicKey)) {
      malformed('keys', 'two keys share a name and key ID');
    }
    index.set(id, key);
  }
  return index;
}

function verifySignature(
  backend: Ed25519,
  key: NoteKey,
  note: Note,
  signature: NoteSignature,
): VerifiedSignature {
  const bad = (): never => {
    throw new HashfedError('BAD_SIGNATURE', 'the note carries a bad signature of a known key', {
      field: key.name,
    });
  };
  if (key.algorithm === ALG_ED25519) {
    return verifyStrict(backend, key.publicKey, note.bodyBytes, signature.bytes) ? { key } : bad();
  }
  const { time, signature: raw } = unpackCosignature(signature.bytes) ?? bad();
  const message = cosignedMessage(time, note.bodyBytes);
  return verifyStrict(backend, key.publicKey, message, raw) ? { key, timeS: Number(time) } : bad();
}

/** What `key` signs for this body: hand it to whatever holds the private half. `timeS` only counts for 0x04. */
export function noteMessage(key: NoteKey, bodyBytes: Uint8Array, timeS: number): Uint8Array {
  return key.algorithm === ALG_COSIGNATURE ? cosignedMessage(BigInt(timeS), bodyBytes) : bodyBytes;
}

/** The signature line for a raw 64-byte signature over `noteMessage`. */
export function signatureLine(sha: Sha256, key: NoteKey, signature: Uint8Array, timeS: number): string {
  checkNoteKey(key, 'key');
  const bytes = key.algorithm === ALG_COSIGNATURE ? packCosignature(BigInt(timeS), signature) : signature;
  return `${SIGNATURE_PREFIX}${key.name} ${toBase64(concat(noteKeyId(sha, key), bytes))}`;
}

/** One signature line over `body` with a seed at hand. `timeS` (Unix seconds) is needed for 0x04. */
export function signNote(suite: Suite, body: string, key: NoteKey, seed: Uint8Array, timeS = 0): string {
  const signature = suite.ed25519.sign(seed, noteMessage(key, utf8(body), timeS));
  return signatureLine(suite.sha256, key, signature, timeS);
}
