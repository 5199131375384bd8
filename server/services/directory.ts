import {
  MemberDirectory as DirectoryMessage,
  type Member as MemberMessage,
} from '../../proto/gen/hashfed/v1/directory.js';
import { DirectoryServiceService } from '../../proto/gen/hashfed/v1/directory_service.js';
import type {
  GetDirectoryRequest,
  GetDirectoryResponse,
  ListMembersRequest,
  ListMembersResponse,
  PutDirectoryRequest,
  PutDirectoryResponse,
} from '../../proto/gen/hashfed/v1/membership.js';
import { HashfedError, malformed } from '../../sdk/core/index.js';
import type { DirectoryKeeper } from '../access/index.js';
import { type BoundService, bind, type CallContext } from '../shell/index.js';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;
const NAME = /^members\/[a-z0-9-]{1,64}$/;

/** DirectoryService over a keeper; who may call what is decided before. */
export function directoryService(keeper: DirectoryKeeper): BoundService {
  const pages = new MemberPages(keeper);
  return bind(DirectoryServiceService, {
    getDirectory: (request) => getDirectory(keeper, request),
    putDirectory: (request, context) => putDirectory(keeper, request, context),
    listMembers: async (request) => pages.page(request),
  });
}

async function getDirectory(
  keeper: DirectoryKeeper,
  request: GetDirectoryRequest,
): Promise<GetDirectoryResponse> {
  const newest = keeper.current.version;
  const wanted = request.version === 0n ? newest : Number(request.version);
  const envelope = await keeper.envelope(wanted);
  if (envelope === undefined) throw new HashfedError('NOT_FOUND', 'the server holds no such version');
  return { envelope, newestVersion: BigInt(newest) };
}

async function putDirectory(
  keeper: DirectoryKeeper,
  request: PutDirectoryRequest,
  { log }: CallContext,
): Promise<PutDirectoryResponse> {
  const version = await keeper.put(request.envelope);
  log.info('directory.put', { version });
  return { version: BigInt(version) };
}

/** Members by name, decoded once per version of the directory. */
class MemberPages {
  readonly #keeper: DirectoryKeeper;
  #version = 0;
  #members: readonly MemberMessage[] = [];

  constructor(keeper: DirectoryKeeper) {
    this.#keeper = keeper;
  }

  /** The page token is the last name of the page before: a later version of the directory skips nobody. */
  page({ role, pageSize, pageToken }: ListMembersRequest): ListMembersResponse {
    if (pageSize > MAX_PAGE) malformed('page_size', `is over ${MAX_PAGE}`);
    if (pageToken !== '' && !NAME.test(pageToken)) malformed('page_token', 'is none of this server');
    const size = pageSize === 0 ? DEFAULT_PAGE : pageSize;
    const members: MemberMessage[] = [];
    for (const member of this.#all()) {
      if (member.name <= pageToken || (role !== 0 && !member.roles.includes(role))) continue;
      if (members.length === size) return { members, nextPageToken: members[size - 1]?.name ?? '' };
      members.push(member);
    }
    return { members, nextPageToken: '' };
  }

  #all(): readonly MemberMessage[] {
    const { version, body } = this.#keeper.current;
    if (version !== this.#version) {
      this.#members = DirectoryMessage.decode(body).members;
      this.#version = version;
    }
    return this.#members;
  }
}
