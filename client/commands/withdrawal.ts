import type { Command } from 'commander';
import type { WithdrawalProgress } from '../../proto/gen/hashfed/v1/publish_followup.js';
import { HashfedError } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { callUnary, type RpcChannel } from '../../sdk/rpc/index.js';
import { PublishServiceService } from '../../sdk/rpc/services/publish.js';
import { action, type CliContext, EXIT, table, timeText } from '../cli/index.js';
import { connect } from '../publisher/index.js';

const CALL_MS = 30_000;
const PAGE = 1000;
/** Pages of one answer: a million pairs of list and hoster. */
const MAX_PAGES = 1000;

export function register(program: Command): void {
  program
    .command('withdrawal')
    .description('what became of a withdrawal')
    .addHelpText('after', '\nExample:\n  hashfed withdrawal status 0123456789abcdef0123456789abcdef')
    .command('status')
    .argument('<publish-id>', 'as printed by withdraw or batch prepare, 32 hex digits')
    .description('which hosters have applied a withdrawal')
    .addHelpText('after', '\nExample:\n  hashfed withdrawal status 0123456789abcdef0123456789abcdef')
    .action(
      action(async (context, _options, [id = '']) => {
        if (!/^[0-9a-f]{32}$/.test(id))
          throw new HashfedError('USAGE', 'a publish id is 32 hex digits', { field: 'publish-id' });
        const { clock, random, signal } = context;
        const deps = { config: await context.config(), suite: platformSuite(), clock, random, signal };
        const channel = await connect(deps);
        try {
          await show(context, channel, new Uint8Array(Buffer.from(id, 'hex')));
          return EXIT.done;
        } finally {
          channel.close();
        }
      }),
    );
}

async function show({ out, signal }: CliContext, channel: RpcChannel, publishId: Uint8Array): Promise<void> {
  const rows: WithdrawalProgress[] = [];
  let [applied, total] = [0, 0];
  for (let page = 0, pageToken = ''; page < MAX_PAGES; page += 1) {
    const request = { publishId, pageSize: PAGE, pageToken };
    const limits = { deadlineMs: CALL_MS, signal };
    const answer = await callUnary(channel, PublishServiceService.withdrawalStatus, request, limits);
    for (const one of answer.progress) rows.push(one);
    ({ applied, total, nextPageToken: pageToken } = answer);
    if (pageToken === '') break;
  }
  out.result(
    {
      applied,
      total,
      progress: rows.map(({ origin, hoster, size, neededSize, appliedMs }) => ({
        origin,
        hoster,
        size,
        needed_size: neededSize,
        applied: size >= neededSize,
        applied_ms: appliedMs === 0n ? null : appliedMs,
      })),
    },
    [
      `${applied} of ${total} have applied it.`,
      ...table([['list', 'hoster', 'has size', 'needs', 'since'], ...rows.map(row)]),
    ],
  );
}

const row = ({ origin, hoster, size, neededSize, appliedMs }: WithdrawalProgress): string[] => [
  origin,
  hoster,
  String(size),
  String(neededSize),
  size >= neededSize ? timeText(Number(appliedMs)) : 'not yet',
];
