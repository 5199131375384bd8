import { TelemetryServiceService } from '../../proto/gen/hashfed/v1/telemetry_service.js';
import type { Budgets } from '../access/index.js';
import { type BoundService, bind } from '../shell/index.js';
import {
  Feed,
  putMonitorReceipts,
  queryTelemetry,
  Receiver,
  SyncStates,
  type TelemetryDeps,
  watchTelemetry,
} from '../telemetry/index.js';

/** Installations report at least this often, seconds. */
const REPORT_WITHIN_S = 3_600;

/** TelemetryService: thin. What a hoster hands in costs it budget, whatever becomes of it. */
export async function telemetryService(deps: TelemetryDeps, budgets: Budgets): Promise<BoundService> {
  const feed = new Feed();
  const receiver = new Receiver(deps, feed);
  const states = await SyncStates.open(deps, feed);
  return bind(TelemetryServiceService, {
    submitTelemetry: async ({ envelope }, { caller }) => {
      budgets.spend(caller.member, 'telemetry', 1);
      return receiver.submit(caller.member, envelope);
    },
    reportSyncState: async (request, { caller }) => {
      budgets.spend(caller.member, 'telemetry', 1);
      await states.report(caller, request);
      return { reportWithinS: REPORT_WITHIN_S };
    },
    queryTelemetry: (request, { signal }) => queryTelemetry(deps, states, request, signal),
    watchTelemetry: (request, { signal }) => watchTelemetry(deps, states, feed, request, signal),
    putMonitorReceipt: async ({ receipts }, { caller }) => {
      await putMonitorReceipts(deps, caller.member, receipts);
      return {};
    },
  });
}
