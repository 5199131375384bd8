import type { TreeHead } from '../../../proto/gen/hashfed/v1/common.js';
import type { SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import {
  checkThreshold,
  equalBytes,
  HashfedError,
  type PublisherRoot,
  parseDsse,
  parseRoot,
  type Suite,
  settingsOf,
} from '../../../sdk/core/index.js';
import type { SecretKey } from '../keys/index.js';

/** The root that a request carries, signed by its own root keys. Throws MALFORMED, THRESHOLD_NOT_MET. */
export function rootOfRequest(suite: Suite, request: SigningRequest): PublisherRoot {
  const signed = parseDsse('root', request.root);
  const root = parseRoot(suite.sha256, signed.body);
  const { threshold, keys } = root.roles.root;
  checkThreshold(suite, 'root', signed, {
    threshold,
    keys: keys.filter((one) => one.ed25519).map((one) => one.key),
  });
  return root;
}

/**
 * The root names this key, in this role, for every list of the request. A signature by a key that the root does not
 * name would be worth nothing, yet would move the record on. Throws USAGE, UNKNOWN_ORIGIN, GENERATION_CLOSED.
 */
export function requireAsked(suite: Suite, key: SecretKey, request: SigningRequest): void {
  const root = rootOfRequest(suite, request);
  for (const { origin } of request.ranges) {
    const settings = settingsOf(root, origin);
    const named =
      key.role === 'list'
        ? equalBytes(settings.sequencingKey.key, key.publicKey)
        : root.roles.approve.keys.some((one) => equalBytes(one.key, key.publicKey) && one.name === key.name);
    if (!named)
      throw new HashfedError('USAGE', `the publisher root does not name this ${key.role} key for the list`, {
        origin,
        field: 'key',
      });
  }
}

/**
 * Where a sequencing key without a record begins: at the state that the root hands over to it, by name. Undefined for
 * every other key, which begins at nothing.
 */
export function handedOver(
  suite: Suite,
  key: SecretKey,
  request: SigningRequest,
  origin: string,
): TreeHead | undefined {
  if (key.role !== 'list') return undefined;
  const { handOver, sequencingKey } = settingsOf(rootOfRequest(suite, request), origin);
  if (handOver === undefined || !equalBytes(sequencingKey.key, key.publicKey)) return undefined;
  return { origin, size: BigInt(handOver.size), root: handOver.root };
}
