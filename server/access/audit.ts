import type { ErrorCode } from '../../sdk/core/index.js';

/** One finished call, as the operator's audit trail keeps it: who did what, never what about. */
export interface AuditEvent {
  readonly timeMs: number;
  readonly requestId: string;
  /** `Service/Method`. */
  readonly rpc: string;
  /** Undefined where the caller could not be identified. */
  readonly member: string | undefined;
  readonly outcome: 'OK' | ErrorCode;
}

/** Where audit events go. MUST return at once and never throw; losing one is the implementation's to report. */
export interface Audit {
  record(event: AuditEvent): void;
}

export const noAudit: Audit = { record: () => {} };
