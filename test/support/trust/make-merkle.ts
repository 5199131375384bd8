/** Vectors of RFC 6962 trees: the eight leaves of the Certificate Transparency reference tests. */
import {
  CompactRange,
  consistencyProof,
  hashLeaf,
  inclusionProof,
  type NodeReader,
  portableSha256 as sha,
} from '../../../sdk/core/index.js';
import { hex, unhex } from './vectors.js';

const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];

export function makeMerkle(): unknown {
  const hashes = LEAVES.map((leaf) => hashLeaf(sha, unhex(leaf)));
  const nodes = new Map<string, Uint8Array>();
  const range = CompactRange.empty(sha);
  const roots = [hex(range.root())];
  for (const leaf of hashes) {
    range.append(leaf, (level, index, bytes) => nodes.set(`${level}/${index}`, bytes.slice()));
    roots.push(hex(range.root()));
  }
  const read: NodeReader = (level, index) => nodes.get(`${level}/${index}`)!;
  const inclusion = [];
  const consistency = [];
  for (let size = 1; size <= 8; size += 1) {
    for (let index = 0; index < size; index += 1) {
      inclusion.push({ index, size, proof: inclusionProof(sha, index, size, read).map(hex) });
    }
    for (let from = 0; from <= size; from += 1) {
      consistency.push({ from, to: size, proof: consistencyProof(sha, from, size, read).map(hex) });
    }
  }
  const [first, second] = [hex(hashes[0]!), hex(hashes[1]!)];
  const invalid = [
    {
      why: 'one hash too many',
      index: 0,
      size: 8,
      proof: [...inclusion.at(-8)!.proof, first],
      code: 'MALFORMED',
    },
    {
      why: 'one hash too few',
      index: 0,
      size: 8,
      proof: inclusion.at(-8)!.proof.slice(1),
      code: 'MALFORMED',
    },
    { why: 'index at the size', index: 8, size: 8, proof: inclusion.at(-1)!.proof, code: 'MALFORMED' },
    {
      why: 'the proof of a neighbour',
      index: 1,
      size: 8,
      proof: inclusion.at(-6)!.proof,
      code: 'ROOT_MISMATCH',
    },
    { why: 'a short hash', index: 0, size: 2, proof: [second.slice(2)], code: 'MALFORMED' },
  ];
  return { leaves: LEAVES, roots, inclusion, consistency, invalid };
}
