/** Page tokens: the key suffix of the last row seen. They come back from peers, so they are checked. */
import { malformed } from '../../sdk/core/index.js';
import type { Kernel, KeyRange, Row } from './kernel.js';
import { DEFAULT_PAGE_SIZE, MAX_KEY_BYTES, MAX_PAGE_SIZE } from './limits.js';
import type { Page, PageOptions } from './types.js';

/** First key behind `key`. */
const behind = (key: Uint8Array): Uint8Array => Buffer.concat([key, Uint8Array.of(0)]);

function start(range: KeyRange, token: string): Uint8Array {
  if (token === '') return range.from;
  const key = Buffer.from(token, 'base64url');
  const inside = Buffer.compare(key, range.from) >= 0 && Buffer.compare(key, range.to) < 0;
  const canonical = key.toString('base64url') === token && key.length <= MAX_KEY_BYTES;
  return inside && canonical ? behind(key) : malformed('page_token', 'is not one of this query');
}

function pageSize(size: number | undefined): number {
  if (size === undefined || size === 0) return DEFAULT_PAGE_SIZE;
  const good = Number.isInteger(size) && size > 0 && size <= MAX_PAGE_SIZE;
  return good ? size : malformed('page_size', 'is not between 1 and 1,000');
}

/**
 * One page of a range. `decode` gives undefined for rows that are no item of their own; at most `MAX_PAGE_SIZE`
 * rows are read for one page, so that a page may be short, or even empty, before the end.
 */
export async function page<T>(
  kernel: Kernel,
  range: KeyRange,
  options: PageOptions,
  decode: (row: Row) => T | undefined | Promise<T | undefined>,
): Promise<Page<T>> {
  const want = pageSize(options.pageSize);
  const items: T[] = [];
  const scan = { from: start(range, options.pageToken ?? ''), to: range.to, limit: MAX_PAGE_SIZE + 1 };
  let last: Uint8Array | undefined;
  let seen = 0;
  for await (const row of kernel.scan(scan)) {
    if (items.length === want || seen === MAX_PAGE_SIZE) {
      return { items, nextPageToken: Buffer.from(last!).toString('base64url') };
    }
    const item = await decode(row);
    if (item !== undefined) items.push(item);
    last = row.key;
    seen += 1;
  }
  return { items, nextPageToken: '' };
}
