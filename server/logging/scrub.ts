/** Characters of one logged text. */
const MAX_TEXT = 256;
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

/** In this order: what a hash, key, address, location or file looks like in text. */
const PATTERNS: readonly RegExp[] = [
  /-----BEGIN[\s\S]*/g,
  /\b[a-z][a-z0-9+.-]*:\/\/\S*/gi,
  /"[^"]*"|'[^']*'|`[^`]*`/g,
  /(?:[A-Za-z]:\\|\\\\)\S*/g,
  /(?:^|(?<=\s|\())\.{0,2}\/\S+/g,
  /[A-Za-z0-9+/_-]{24,}={0,2}/g,
  /[0-9a-f]{16,}/gi,
  /\S+\.(?:jpe?g|png|gif|webp|avif|hei[cf]|tiff?|bmp|mp4|mov|avi|mkv|webm|zip|pdf|pem|key|csv|json|bin)\b/gi,
];

/** `text` without anything that may be a hash, key, URL, path or file name, cut to 256 characters. */
export function scrub(text: string): string {
  let clean = text.slice(0, 4 * MAX_TEXT);
  for (const pattern of PATTERNS) clean = clean.replace(pattern, '[…]');
  clean = clean.replace(/[^\x20-\x7e…]/g, '?');
  return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}…` : clean;
}

/** `text` where it is a plain name (an event, a class of error), else a constant. */
export function plainName(text: unknown): string {
  return typeof text === 'string' && NAME.test(text) && scrub(text) === text ? text : 'unnamed';
}

/** `text` where it is an error code in capitals, such as ERR_STREAM_PREMATURE_CLOSE, else a constant. */
export function plainCode(text: unknown): string {
  const fits = typeof text === 'string' && /^[A-Z][A-Z0-9_]{0,47}$/.test(text) && !/[0-9A-F]{16}/.test(text);
  return fits ? text : 'unnamed';
}
