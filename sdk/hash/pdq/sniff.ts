/** Recognises the formats that may be decoded by their first bytes; no other decoder ever sees an upload. */

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'heif';

function startsWith(bytes: Uint8Array, at: number, ...expected: number[]): boolean {
  return expected.every((value, i) => bytes[at + i] === value);
}

const text = (bytes: Uint8Array, at: number, length: number) =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** Brands of ISO base media files (ISO/IEC 23008-12, AVIF) that hold pictures. */
const PICTURE_BRANDS = new Set([
  'avif',
  'avis',
  'mif1',
  'msf1',
  'miaf',
  'heic',
  'heix',
  'heim',
  'heis',
  'hevc',
]);

export function sniff(bytes: Uint8Array): ImageFormat | undefined {
  if (startsWith(bytes, 0, 0xff, 0xd8, 0xff)) return 'jpeg';
  if (startsWith(bytes, 0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png';
  const head = text(bytes, 0, 6);
  if (head === 'GIF87a' || head === 'GIF89a') return 'gif';
  if (head.startsWith('RIFF') && text(bytes, 8, 4) === 'WEBP') return 'webp';
  if (startsWith(bytes, 0, 0x49, 0x49, 0x2a, 0) || startsWith(bytes, 0, 0x4d, 0x4d, 0, 0x2a)) return 'tiff';
  if (text(bytes, 4, 4) === 'ftyp' && PICTURE_BRANDS.has(text(bytes, 8, 4))) return 'heif';
  return undefined;
}
