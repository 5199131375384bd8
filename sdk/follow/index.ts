/** Following lists: the verified procedure that hosters, publishers, mirrors and auditors share. */
export { type Changes, writeBase } from './commit.js';
export { connectSources, type SourceConfig, type TlsFiles } from './connect.js';
export { currencyOf, type ListCurrency, restoreStatements } from './currency.js';
export { NO_COSIGNERS, type PinnedPublisher, type Source, type SyncDeps } from './deps.js';
export type { ListExtra } from './extra.js';
export { fetchOffer, type Offer, type OfferContext, verifyOffer } from './offer.js';
export { type PullOptions, pullEntries } from './pull.js';
export { ListReplica } from './replica.js';
export { type ReportOptions, reportSyncState, syncStates } from './report.js';
export { RootBook } from './root-book.js';
export { type SyncOptions, type SyncResult, syncList } from './sync-list.js';
export { watchOrigins } from './watch.js';
