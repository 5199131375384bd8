/** A small log with notes over any prefix of it. */
import {
  ALG_COSIGNATURE,
  ALG_ED25519,
  CompactRange,
  consistencyProof,
  formatCheckpoint,
  formatNote,
  hashLeaf,
  type NoteKey,
  signNote,
} from '../../../sdk/core/index.js';
import { ORIGIN } from './bodies.js';
import { suite, type TestKey } from './keys.js';

export interface Signer {
  readonly key: NoteKey;
  readonly seed: Uint8Array;
  readonly timeS?: number;
}

export const sequencer = ({ publicKey, seed }: TestKey, origin = ORIGIN): Signer => ({
  key: { name: origin, algorithm: ALG_ED25519, publicKey },
  seed,
});
export const cosigner = ({ publicKey, seed }: TestKey, name: string, timeS = 0): Signer => ({
  key: { name, algorithm: ALG_COSIGNATURE, publicKey },
  seed,
  timeS,
});

export class TestLog {
  readonly #nodes = new Map<string, Uint8Array>();
  readonly #roots: Uint8Array[] = [];

  constructor(size: number, salt = 0) {
    const range = CompactRange.empty(suite.sha256);
    this.#roots.push(range.root());
    for (let i = 0; i < size; i += 1) {
      const leaf = hashLeaf(suite.sha256, Uint8Array.of(i, i >> 8, i === size - 1 ? salt : 0));
      range.append(leaf, (level, index, bytes) => this.#nodes.set(`${level}/${index}`, bytes.slice()));
      this.#roots.push(range.root());
    }
  }

  at(size: number): { size: number; root: Uint8Array } {
    return { size, root: this.#roots[size]! };
  }

  prove(from: number, to: number): Uint8Array[] {
    return consistencyProof(suite.sha256, from, to, (level, index) => this.#nodes.get(`${level}/${index}`)!);
  }

  note(size: number, signers: readonly Signer[], origin = ORIGIN): Uint8Array {
    const body = formatCheckpoint({ origin, ...this.at(size) });
    return formatNote(
      body,
      signers.map(({ key, seed, timeS }) => signNote(suite, body, key, seed, timeS)),
    );
  }
}
