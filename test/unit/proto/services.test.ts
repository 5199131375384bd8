import { readdirSync, readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { loadFromSource, PROTO_FOLDER } from './descriptors.js';

const names = readdirSync(`${PROTO_FOLDER}hashfed/v1`);
const root = loadFromSource(names.map((name) => `hashfed/v1/${name}`));

/** Every RPC of the protocol; `>` streams the response, `<` the request. */
const RPCS: Record<string, string> = {
  ListService:
    'ListLists GetPublisherRoot GetCheckpoint GetProof >PullEntries >WatchCheckpoints GetSnapshotIndex >PullSnapshot',
  PublishService:
    'GetPublishState <UploadEntries PrepareBatch CommitBatch AbortBatch PutPublisherRoot PutLiveness >WatchAlarms ListCases DecideCase ListConfirmations AnswerConfirmation WithdrawalStatus',
  QueryService: 'LookupHash LookupHashes >GetBlindedSet EvaluateBlinded',
  TelemetryService:
    'SubmitTelemetry ReportSyncState SubmitFeedback SubmitBands RequestConfirmation >WatchCaseOutcomes QueryTelemetry >WatchTelemetry PutMonitorReceipt',
  NoticeService:
    'AddTip IssueNotice RevokeNotice ListNotices >WatchNotices AcknowledgeNotice RecordDelivery RecordAction RecordObservation ContestAttribution PutMandate IssueOrder',
  FederationService: 'AddCheckpoint ReportEquivocation ListEquivocations',
  DirectoryService: 'GetDirectory PutDirectory ListMembers SetBudget >ExportAudit',
  EnrolmentService: 'SubmitCsr AwaitCertificate RenewCertificate',
};

const services = (root.lookup('hashfed.v1') as protobuf.Namespace).nestedArray.filter(
  (nested) => nested instanceof protobuf.Service,
);

it('has exactly the services of the protocol', () => {
  expect(services.map(({ name }) => name).sort()).toEqual(Object.keys(RPCS).sort());
});

describe.each(Object.entries(RPCS))('%s', (service, rpcs) => {
  it('has exactly its RPCs, with their own requests and responses', () => {
    const found = root.lookupService(`hashfed.v1.${service}`).methodsArray;
    const shown = found.map((m) => `${m.requestStream ? '<' : ''}${m.responseStream ? '>' : ''}${m.name}`);
    expect(shown).toEqual(rpcs.split(' '));
    for (const method of found) {
      expect([method.requestType, method.responseType]).toEqual([
        `${method.name}Request`,
        `${method.name}Response`,
      ]);
    }
  });
});

it('keeps messages and services in separate files, and maps out of messages', () => {
  for (const name of names) {
    const text = readFileSync(`${PROTO_FOLDER}hashfed/v1/${name}`, 'utf8');
    expect(text).not.toMatch(/\bmap\s*</);
    expect(/^service /m.test(text)).toBe(name.endsWith('_service.proto'));
    if (name.endsWith('_service.proto')) expect(text).not.toMatch(/^(message|enum) /m);
  }
});
