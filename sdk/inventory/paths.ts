const SLASH = 0x2f;

/** The order in which a walk meets paths: folder by folder, names by their bytes. */
export function comparePaths(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) {
    if (a[i] !== b[i]) return (a[i] === SLASH ? -1 : a[i]!) - (b[i] === SLASH ? -1 : b[i]!);
  }
  return a.length - b.length;
}

/** A path for people and journals: UTF-8, and `\xNN` for each byte that is none. */
export function showPath(path: Uint8Array): string {
  const bytes = Buffer.from(path.buffer, path.byteOffset, path.length);
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  const shown = (byte: number) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  return Array.from(bytes, shown).join('');
}
