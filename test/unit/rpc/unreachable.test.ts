import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { fromStatus } from '../../../sdk/rpc/index.js';

const UNAVAILABLE = 14;
const told = (details: string) =>
  fromStatus({ code: UNAVAILABLE, details, metadata: new Metadata() }).message;

describe('a connection that was not made', () => {
  it.each([
    [
      'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:8443. Resolution note: ',
      'nothing listens at 127.0.0.1:8443 (ECONNREFUSED); check the address, and that the server runs',
    ],
    [
      'Name resolution failed for target dns:wrong.invalid:8443',
      'no host is known for wrong.invalid:8443; check the address, and DNS',
    ],
    [
      "No connection established. Last error: Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: other.example. is not in the cert's altnames: DNS:localhost",
      "the server's certificate is not for other.example but for DNS:localhost; check the address, or set server_name",
    ],
    [
      'No connection established. Last error: Error: self-signed certificate in certificate chain',
      "the server's certificate is not of the authority in tls.ca: self-signed certificate in certificate chain",
    ],
    ['No connection established. Last error: Error: read ECONNRESET. Resolution note:', 'read ECONNRESET'],
    ['Too many requests', 'Too many requests'],
  ])('%s', (details, sentence) => {
    expect(told(details)).toBe(sentence);
  });
});
