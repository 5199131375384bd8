/** The federation's own certificates: authority, servers, members, requests and renewal. */
export {
  type Authority,
  type Identity,
  makeAuthority,
  openAuthority,
  type PkiEnvironment,
} from './authority.js';
export { makeRequest, openRequest } from './csr.js';
export { type IdentityFiles, readIdentity, writeIdentity, writeNew } from './files.js';
export { END_CERTIFICATE_DAYS, issueForRequest, issueMember, issueServer, LOOPBACK_NAMES } from './issue.js';
export { type MemberName, spiffeId } from './names.js';
export { type CertificateFacts, describeCertificate, dueForRenewal, renew } from './renew.js';
