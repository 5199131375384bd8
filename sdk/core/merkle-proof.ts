/**
 * RFC 6962 proofs made from stored complete nodes. A plan names every node first, so that a server can read
 * them from tiles in one go; folding them gives the proof.
 */
import { malformed } from './errors.js';
import { hashNode, isSize } from './merkle.js';
import type { Sha256 } from './sha256.js';

/** A complete node: `level` 0 holds leaf hashes; it covers leaves [index · 2^level, (index + 1) · 2^level). */
export interface NodeRef {
  readonly level: number;
  readonly index: number;
}
/** Each proof hash is the root over these complete nodes, left to right. */
export type ProofPlan = readonly (readonly NodeRef[])[];
/** MUST return the 32 bytes of a complete node that lies inside the tree. */
export type NodeReader = (level: number, index: number) => Uint8Array;

/** The largest power of two below `n` (n ≥ 2). */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** The complete nodes whose fold is the root over leaves [begin, end); `begin` is aligned as RFC 6962 splits. */
function cover(begin: number, end: number): NodeRef[] {
  const nodes: NodeRef[] = [];
  for (let at = begin; at < end; ) {
    let [level, width] = [0, 1];
    while (width * 2 <= end - at) [level, width] = [level + 1, width * 2];
    nodes.push({ level, index: at / width });
    at += width;
  }
  return nodes;
}

/** PATH of RFC 6962 §2.1.1, nearest sibling first. Throws `MALFORMED` unless index < size. */
export function planInclusion(index: number, size: number): ProofPlan {
  if (!isSize(size) || !isSize(index) || index >= size) malformed('index', 'is not below the tree size');
  const plan: NodeRef[][] = [];
  let [begin, end] = [0, size];
  while (end - begin > 1) {
    const middle = begin + split(end - begin);
    plan.push(index < middle ? cover(middle, end) : cover(begin, middle));
    [begin, end] = index < middle ? [begin, middle] : [middle, end];
  }
  return plan.reverse();
}

/** PROOF of RFC 6962 §2.1.2; empty where `from` is 0 or equals `to`. Throws `MALFORMED` unless from ≤ to. */
export function planConsistency(from: number, to: number): ProofPlan {
  if (!isSize(from) || !isSize(to) || from > to) malformed('from', 'is not at most the new size');
  if (from === 0) return [];
  const plan: NodeRef[][] = [];
  let [begin, end] = [0, to];
  while (from !== end) {
    const middle = begin + split(end - begin);
    plan.push(from <= middle ? cover(middle, end) : cover(begin, middle));
    [begin, end] = from <= middle ? [begin, middle] : [middle, end];
  }
  if (begin > 0) plan.push(cover(begin, end));
  return plan.reverse();
}

/** The hashes of a plan. */
export function foldPlan(sha: Sha256, plan: ProofPlan, read: NodeReader): Uint8Array[] {
  return plan.map((nodes) =>
    nodes
      .map(({ level, index }) => read(level, index))
      .reduceRight((right, left) => hashNode(sha, left, right)),
  );
}

export function inclusionProof(sha: Sha256, index: number, size: number, read: NodeReader): Uint8Array[] {
  return foldPlan(sha, planInclusion(index, size), read);
}

export function consistencyProof(sha: Sha256, from: number, to: number, read: NodeReader): Uint8Array[] {
  return foldPlan(sha, planConsistency(from, to), read);
}
