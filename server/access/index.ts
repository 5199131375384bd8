/** Who is calling, and what they may do. */
export { type Audit, type AuditEvent, noAudit } from './audit.js';
export { type BudgetKind, type BudgetRate, type Budgets, MemoryBudgets } from './budgets.js';
export { Caller, mayReadList } from './caller.js';
export { MAX_CERTIFICATE_BYTES, type PeerCertificateFacts, readCertificate } from './certificate.js';
export { type Directory, DirectoryHolder, type MemberRecord, type Role } from './directory.js';
export { checkCertificateTime, identify, type PeerIdentity } from './identity.js';
export { DirectoryKeeper, type KeeperOptions } from './keeper.js';
export { type RpcRule, ruleFor } from './rules.js';
export { directoryView } from './view.js';
