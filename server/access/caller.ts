import { HashfedError } from '../../sdk/core/index.js';
import type { Directory, DirectoryHolder, MemberRecord, Role } from './directory.js';
import { checkCertificateTime, type PeerIdentity } from './identity.js';
import type { RpcRule } from './rules.js';

/**
 * Who makes a call. Every question is answered from the directory in force at that moment, so that a
 * member revoked in the middle of a stream gets nothing more.
 */
export class Caller {
  readonly #identity: PeerIdentity;
  readonly #holder: DirectoryHolder;
  readonly #rule: RpcRule;
  #checked: Directory | undefined;
  #record: MemberRecord | undefined;

  constructor(identity: PeerIdentity, holder: DirectoryHolder, rule: RpcRule) {
    this.#identity = identity;
    this.#holder = holder;
    this.#rule = rule;
  }

  /** Name without the `members/` prefix. */
  get member(): string {
    return this.#identity.member;
  }

  get roles(): ReadonlySet<Role> {
    return this.#require().roles;
  }

  /**
   * Certificate, membership, validity and role, now. Throws NOT_AUTHENTICATED, UNKNOWN_MEMBER, NOT_ENTITLED,
   * or STALE where the server's directory has expired.
   */
  check(nowMs: number): void {
    checkCertificateTime(this.#identity, nowMs);
    const directory = this.#holder.current;
    if (!(nowMs < directory.expiresMs) && this.#rule.evenExpired !== true)
      throw new HashfedError('STALE', 'the member directory has expired');
    if (directory !== this.#checked) {
      this.#record = admit(directory.member(this.#identity.member), this.#rule);
      this.#checked = directory;
    }
    const { validFromMs, validUntilMs } = this.#require();
    if (!(nowMs >= validFromMs && nowMs < validUntilMs))
      throw new HashfedError('NOT_ENTITLED', 'the membership is not valid now');
  }

  /** True where it may read the list; `origin` may be a generation of it or the list itself. */
  mayRead(origin: string): boolean {
    return mayReadList(this.#live(), origin);
  }

  /**
   * Throws NOT_ENTITLED for a list it may not read. Ask before looking whether the list exists, so that the
   * answer says nothing about that.
   */
  requireReadable(origin: string): void {
    if (!this.mayRead(origin))
      throw new HashfedError('NOT_ENTITLED', 'this member may not read that list', {
        origin: originForWire(origin),
      });
  }

  /** Throws NOT_ENTITLED unless it is a publisher of the origin's domain. */
  requirePublisherOf(origin: string): void {
    const record = this.#live();
    if (!record.roles.has('publisher') || !record.domains.has(domainOf(origin)))
      throw new HashfedError('NOT_ENTITLED', 'this member may not publish under that domain', {
        origin: originForWire(origin),
      });
  }

  /** Throws NOT_ENTITLED unless it has one of the roles. */
  requireRole(...roles: readonly Role[]): void {
    const held = this.#live().roles;
    if (!roles.some((role) => held.has(role))) throw lacksRole(roles);
  }

  #live(): MemberRecord {
    if (this.#holder.current !== this.#checked) {
      this.#record = admit(this.#holder.current.member(this.#identity.member), this.#rule);
      this.#checked = this.#holder.current;
    }
    return this.#require();
  }

  #require(): MemberRecord {
    if (this.#record === undefined)
      throw new HashfedError('UNKNOWN_MEMBER', 'the directory does not know this member');
    return this.#record;
  }
}

function admit(record: MemberRecord | undefined, rule: RpcRule): MemberRecord {
  if (record === undefined)
    throw new HashfedError('UNKNOWN_MEMBER', 'the directory does not know this member');
  if (record.status !== 'active')
    throw new HashfedError('NOT_ENTITLED', `the membership is ${record.status}`);
  if (rule.roles !== 'any' && !rule.roles.some((role) => record.roles.has(role))) throw lacksRole(rule.roles);
  return record;
}

function lacksRole(roles: readonly Role[]): HashfedError {
  return new HashfedError('NOT_ENTITLED', `this needs a member with the role ${roles.join(' or ')}`);
}

/** A list is readable by name, by a prefix of whole parts, or because the member itself publishes it. */
export function mayReadList(record: MemberRecord, origin: string): boolean {
  const [domain = '', collection = '', type = ''] = origin.split('/', 4);
  const lists = record.readableLists;
  if (record.roles.has('publisher') && record.domains.has(domain)) return true;
  return (
    lists.has(`${domain}/${collection}/${type}`) ||
    lists.has(`${domain}/${collection}/*`) ||
    lists.has(`${domain}/*`) ||
    lists.has('*')
  );
}

function domainOf(origin: string): string {
  return origin.split('/', 1)[0] ?? '';
}

/** Bytes of an origin at most; anything longer came from an attacker and is not echoed. */
function originForWire(origin: string): string {
  return /^[a-z0-9./-]{1,128}$/.test(origin) ? origin : '(not an origin)';
}
