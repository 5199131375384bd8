import { malformed } from '../../sdk/core/index.js';
import { type DerElement, readElements, readOnly, Tag } from './der.js';

/** Bytes of a certificate; ours take about 600. */
export const MAX_CERTIFICATE_BYTES = 16 * 1024;

/** What the server uses of a peer's certificate, whose chain the TLS stack has verified. */
export interface PeerCertificateFacts {
  /** URI names in the order of the certificate, each plain ASCII. */
  readonly uris: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const SUBJECT_ALT_NAME = '551d11'; // 2.5.29.17
const URI_NAME = 0x86; // GeneralName [6] IMPLICIT IA5String
const EXTENSIONS = 0xa3; // TBSCertificate [3] EXPLICIT
const VERSION = 0xa0; // TBSCertificate [0] EXPLICIT
const VALIDITY_AT = 3; // serial, algorithm, issuer, validity (after the version)

/**
 * Reads names and validity from the DER of an X.509 v3 certificate (RFC 5280 §4.1), strictly: Node's joined
 * text of all names can be forged by a name that contains its separator. Throws MALFORMED.
 */
export function readCertificate(der: Uint8Array): PeerCertificateFacts {
  if (der.length > MAX_CERTIFICATE_BYTES) malformed('certificate', `is over ${MAX_CERTIFICATE_BYTES} bytes`);
  const outer = readElements(readOnly(der, Tag.sequence).content);
  const tbs = outer[0];
  if (outer.length !== 3 || tbs?.tag !== Tag.sequence)
    malformed('certificate', 'is not an X.509 certificate');
  const fields = readElements(tbs.content);
  if (fields[0]?.tag !== VERSION) malformed('certificate', 'is not of version 3');
  const validity = readValidity(fields[1 + VALIDITY_AT]);
  const extensions = fields.filter((field) => field.tag === EXTENSIONS);
  if (extensions.length !== 1) malformed('certificate', 'has no extensions');
  return { ...validity, uris: readUris(extensions[0]!.content) };
}

function readValidity(element: DerElement | undefined): { notBeforeMs: number; notAfterMs: number } {
  if (element?.tag !== Tag.sequence) malformed('certificate', 'has no validity');
  const [from, to, ...rest] = readElements(element.content);
  if (from === undefined || to === undefined || rest.length > 0) malformed('certificate', 'has no validity');
  return { notBeforeMs: readTime(from), notAfterMs: readTime(to) };
}

const UTC_TIME = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

/** Unix milliseconds of a time as RFC 5280 §4.1.2.5 allows it: with seconds, in UTC. */
function readTime(element: DerElement): number {
  const short = element.tag === Tag.utcTime;
  if (!short && element.tag !== Tag.generalizedTime) malformed('certificate', 'has an unreadable time');
  const parts = (short ? UTC_TIME : GENERALIZED_TIME).exec(ascii(element.content))?.slice(1).map(Number);
  if (parts === undefined) malformed('certificate', 'has an unreadable time');
  const [written = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const year = short ? written + (written < 50 ? 2000 : 1900) : written;
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  time.setUTCFullYear(year, month - 1, day);
  const kept = time.getUTCMonth() === month - 1 && time.getUTCDate() === day && time.getUTCHours() === hour;
  if (!kept || minute > 59 || second > 59) malformed('certificate', 'has a time that does not exist');
  return time.getTime();
}

function readUris(extensions: Uint8Array): string[] {
  const list = readElements(readOnly(extensions, Tag.sequence).content);
  const found: Uint8Array[] = [];
  for (const extension of list) {
    const [id, ...rest] = readElements(extension.content);
    if (id?.tag !== Tag.oid || hex(id.content) !== SUBJECT_ALT_NAME) continue;
    const value = rest.at(-1);
    if (value?.tag !== Tag.octetString) malformed('certificate', 'has an unreadable extension');
    found.push(value.content);
  }
  if (found.length > 1) malformed('certificate', 'has its alternative names twice');
  if (found[0] === undefined) return [];
  const names = readElements(readOnly(found[0], Tag.sequence).content);
  return names.filter((name) => name.tag === URI_NAME).map((name) => ascii(name.content));
}

function ascii(bytes: Uint8Array): string {
  for (const byte of bytes)
    if (byte < 0x21 || byte > 0x7e) malformed('certificate', 'has a name with odd characters');
  return String.fromCharCode(...bytes);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
