/** Which keys of a root count for which origin. */
import { toHex } from './bytes.js';
import { HashfedError } from './errors.js';
import { ALG_COSIGNATURE, ALG_ED25519, type NoteKey } from './note.js';
import { parseOrigin } from './origin.js';
import type { OriginSettings, PublisherRoot, RootKey, TreeState } from './root.js';
import { listOf } from './root-origin.js';

/** A key that counts only on proven prefixes of `lastGood`. */
export interface FormerNoteKey {
  readonly key: NoteKey;
  readonly role: 'list' | 'approve';
  readonly lastGood: TreeState;
}

/** The publisher's note keys for one origin. */
export interface OriginKeys {
  readonly origin: string;
  /** 0x01, named as the origin. */
  readonly sequencing: NoteKey;
  /** 0x04, each under its own name, and how many distinct ones make a note two-key. */
  readonly approve: readonly NoteKey[];
  readonly approveThreshold: number;
  readonly former: readonly FormerNoteKey[];
  /** Every key that the root names, in hex: none of them may cosign. */
  readonly reserved: ReadonlySet<string>;
}

/** The rules for an origin. Throws `UNKNOWN_ORIGIN`, or `GENERATION_CLOSED` where a later generation took over. */
export function settingsOf(root: PublisherRoot, origin: string): OriginSettings {
  const settings = root.origins.get(origin);
  if (settings !== undefined) return settings;
  const asked = parseOrigin(origin);
  for (const { origin: current } of root.origins.values()) {
    if (listOf(current) === listOf(asked) && current.generation > asked.generation) {
      throw new HashfedError('GENERATION_CLOSED', 'the root names a later generation of this list', {
        origin,
      });
    }
  }
  throw new HashfedError('UNKNOWN_ORIGIN', 'the publisher root does not name this origin', { origin });
}

const sequencingKey = (origin: string, { key }: RootKey): NoteKey => ({
  name: origin,
  algorithm: ALG_ED25519,
  publicKey: key,
});
const approveKey = ({ key, name }: RootKey): NoteKey => ({
  name,
  algorithm: ALG_COSIGNATURE,
  publicKey: key,
});

/** Throws as `settingsOf`, and `UPGRADE_REQUIRED` where the sequencing key is of an unknown algorithm. */
export function keysFor(root: PublisherRoot, origin: string): OriginKeys {
  const settings = settingsOf(root, origin);
  if (!settings.sequencingKey.ed25519) {
    throw new HashfedError('UPGRADE_REQUIRED', 'the sequencing key is of an unknown algorithm', { origin });
  }
  return {
    origin,
    sequencing: sequencingKey(origin, settings.sequencingKey),
    approve: root.roles.approve.keys.filter((one) => one.ed25519).map(approveKey),
    approveThreshold: root.roles.approve.threshold,
    former: formerKeysFor(root, origin),
    reserved: new Set(everyKey(root).map(({ key }) => toHex(key))),
  };
}

/** Today's keys of all roles and all former ones. */
function everyKey(root: PublisherRoot): RootKey[] {
  return [...Object.values(root.roles).flatMap(({ keys }) => keys), ...root.former.map(({ key }) => key)];
}

function formerKeysFor(root: PublisherRoot, origin: string): FormerNoteKey[] {
  return root.former.flatMap(({ origin: of, key, role, lastGood }): FormerNoteKey[] => {
    if (of.text !== origin || !key.ed25519) return [];
    if (role === 'list') return [{ key: sequencingKey(origin, key), role, lastGood }];
    return role === 'approve' ? [{ key: approveKey(key), role, lastGood }] : [];
  });
}

/** The raw keys that may sign freshness or liveness under this root, former ones not among them. */
export function statementKeys(root: PublisherRoot, role: 'freshness' | 'live'): Uint8Array[] {
  return root.roles[role].keys.filter((one) => one.ed25519).map((one) => one.key);
}
