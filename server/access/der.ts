import { malformed } from '../../sdk/core/index.js';

/** One element of DER (ITU-T X.690): tag byte and contents. High tag numbers do not occur in certificates. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** Elements in one structure; a certificate has at most some dozens. */
const MAX_CHILDREN = 256;

/** The elements that `bytes` consists of, without rest. Throws MALFORMED. */
export function readElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (elements.length === MAX_CHILDREN) malformed('certificate', 'has too many elements');
    const { element, end } = readElement(bytes, at);
    elements.push(element);
    at = end;
  }
  return elements;
}

/** The children of the one element of `tag` that `bytes` consists of. Throws MALFORMED. */
export function readOnly(bytes: Uint8Array, tag: number): DerElement {
  const [only, ...rest] = readElements(bytes);
  if (only === undefined || rest.length > 0 || only.tag !== tag)
    malformed('certificate', 'is not laid out as DER');
  return only;
}

function readElement(bytes: Uint8Array, at: number): { element: DerElement; end: number } {
  const tag = bytes[at];
  if (tag === undefined || (tag & 0x1f) === 0x1f) malformed('certificate', 'has an unknown tag');
  const { length, start } = readLength(bytes, at + 1);
  const end = start + length;
  if (end > bytes.length) malformed('certificate', 'is cut short');
  return { element: { tag, content: bytes.subarray(start, end) }, end };
}

/** Definite lengths in the fewest bytes, as DER demands; at most three length bytes. */
function readLength(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = bytes[at];
  if (first === undefined) malformed('certificate', 'is cut short');
  if (first < 0x80) return { length: first, start: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 3) malformed('certificate', 'has a length that DER does not allow');
  let length = 0;
  for (let i = 1; i <= count; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) malformed('certificate', 'is cut short');
    length = length * 256 + byte;
  }
  if (length < 0x80 || length < 256 ** (count - 1)) malformed('certificate', 'has an overlong length');
  return { length, start: at + 1 + count };
}
