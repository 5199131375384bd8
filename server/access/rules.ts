import { HashfedError, MAX_MESSAGE_BYTES } from '../../sdk/core/index.js';
import type { Role } from './directory.js';

/** Who may call an RPC. Lists, domains and resources are checked by its handler through the caller. */
export interface RpcRule {
  readonly roles: readonly Role[] | 'any';
  /** Open as long as the client likes; ended at once when the server stops. */
  readonly longLived?: boolean;
  /** May take as long as a stream: it reads what a stream brought. */
  readonly long?: boolean;
  /** Bytes of one request message; a small number where it is left out. */
  readonly maxBytes?: number;
  /** Also under an expired directory: what it takes to replace it. */
  readonly evenExpired?: boolean;
}

const any: RpcRule = { roles: 'any' };
const only = (...roles: readonly Role[]): RpcRule => ({ roles });
const watch = (rule: RpcRule): RpcRule => ({ ...rule, longLived: true });
/** Carries bundles, notes, hashes or signed bodies. */
const large = (rule: RpcRule): RpcRule => ({ ...rule, maxBytes: MAX_MESSAGE_BYTES });

const publishers = only('publisher');
const operator = only('operator');
const hotline = only('hotline');
const hoster = only('hoster');
const monitor = only('monitor');
const asking = only('hoster', 'hotline', 'publisher', 'authority', 'mirror');
const noticeParties = only('hotline', 'hoster', 'monitor', 'authority');

/** Every RPC of `hashfed.v1` by service and method. What is not here cannot be registered. */
const RULES: Readonly<Record<string, Readonly<Record<string, RpcRule>>>> = {
  ListService: {
    ListLists: any,
    GetPublisherRoot: any,
    GetCheckpoint: any,
    GetProof: any,
    PullEntries: any,
    WatchCheckpoints: watch(any),
    GetSnapshotIndex: any,
    PullSnapshot: any,
  },
  PublishService: {
    GetPublishState: publishers,
    UploadEntries: large(publishers),
    PrepareBatch: { ...publishers, long: true },
    CommitBatch: { ...large(publishers), long: true },
    AbortBatch: publishers,
    PutPublisherRoot: large(publishers),
    PutLiveness: large(publishers),
    WatchAlarms: watch(publishers),
    ListCases: only('publisher', 'hotline'),
    DecideCase: only('publisher', 'hotline'),
    ListConfirmations: publishers,
    AnswerConfirmation: publishers,
    WithdrawalStatus: only('publisher', 'monitor'),
  },
  QueryService: {
    LookupHash: asking,
    LookupHashes: large(asking),
    GetBlindedSet: asking,
    EvaluateBlinded: asking,
  },
  TelemetryService: {
    SubmitTelemetry: large(hoster),
    ReportSyncState: only('hoster', 'mirror', 'monitor'),
    SubmitFeedback: hoster,
    SubmitBands: large(hoster),
    RequestConfirmation: hoster,
    WatchCaseOutcomes: watch(hoster),
    QueryTelemetry: monitor,
    WatchTelemetry: watch(monitor),
    PutMonitorReceipt: large(monitor),
  },
  NoticeService: {
    AddTip: large(hotline),
    IssueNotice: large(hotline),
    RevokeNotice: large(hotline),
    ListNotices: noticeParties,
    WatchNotices: watch(noticeParties),
    AcknowledgeNotice: large(hoster),
    RecordDelivery: large(hotline),
    RecordAction: large(only('hoster', 'hotline')),
    RecordObservation: large(monitor),
    ContestAttribution: large(hoster),
    PutMandate: large(only('authority', 'monitor')),
    IssueOrder: large(only('authority')),
  },
  FederationService: {
    AddCheckpoint: only('publisher', 'mirror', 'witness', 'operator'),
    ReportEquivocation: large(any),
    ListEquivocations: any,
  },
  DirectoryService: {
    GetDirectory: { ...any, evenExpired: true },
    PutDirectory: { ...large(operator), evenExpired: true },
    ListMembers: any,
    SetBudget: operator,
    ExportAudit: only('operator', 'auditor'),
  },
  EnrolmentService: { RenewCertificate: any },
};

/** The rule of a method path `/hashfed.v1.Service/Method`. Throws INTERNAL where nobody decided who may. */
export function ruleFor(path: string): RpcRule {
  const [, service = '', method = ''] = /^\/hashfed\.v1\.(\w+)\/(\w+)$/.exec(path) ?? [];
  const rules = Object.hasOwn(RULES, service) ? RULES[service] : undefined;
  const rule = rules !== undefined && Object.hasOwn(rules, method) ? rules[method] : undefined;
  if (rule === undefined) throw new HashfedError('INTERNAL', `no access rule for ${path}`);
  return rule;
}
