import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import type { SecureServerOptions } from 'node:http2';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { HashfedError } from '../../sdk/core/index.js';

/** PEM texts of a server: its chain, its key, and whose members it accepts. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Throws USAGE unless the key belongs to the certificate, both are valid at `nowMs`, and the authorities are
 * authorities: a pair torn by a half-finished copy never reaches the listener.
 */
export function checkMaterial(material: TlsMaterial, nowMs: number): void {
  const chain = parseCertificates(material.certificate, 'tls.certificate');
  const authorities = parseCertificates(material.clientCa, 'tls.client_ca');
  const leaf = chain[0]!;
  if (!keyFits(leaf, material.key)) throw unusable('tls.key', 'does not belong to the certificate');
  checkValidity(leaf, nowMs, 'tls.certificate');
  for (const authority of authorities) {
    if (!authority.ca) throw unusable('tls.client_ca', 'holds a certificate that is no authority');
    checkValidity(authority, nowMs, 'tls.client_ca');
  }
  try {
    createSecureContext(contextOf(material));
  } catch (cause) {
    throw unusable('tls', 'is refused by the TLS library', cause);
  }
}

/**
 * Mutual TLS 1.3 only. A client without a certificate of the authorities gets no session; there are no
 * tickets, since a resumed session would not show its certificate again.
 */
export class MutualTls extends ServerCredentials {
  constructor(material: TlsMaterial, options: SecureServerOptions = {}) {
    super(
      { ...options, requestCert: true, rejectUnauthorized: true, handshakeTimeout: 10_000 },
      contextOf(material),
    );
  }

  /** Uses other material, checked by the caller, for every handshake from now on. */
  replace(material: TlsMaterial): void {
    this.updateSecureContextOptions(contextOf(material));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Loopback development only: nothing is encrypted and nobody is authenticated. */
export class Plaintext extends ServerCredentials {
  constructor() {
    super(null);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf(material: TlsMaterial): SecureContextOptions {
  return {
    cert: material.certificate,
    key: material.key,
    ca: material.clientCa,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

function parseCertificates(pem: string, field: string): X509Certificate[] {
  const blocks = pem.match(PEM_BLOCK) ?? [];
  if (blocks.length === 0) throw unusable(field, 'holds no PEM certificate');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw unusable(field, 'cannot be read', cause);
  }
}

function keyFits(certificate: X509Certificate, keyPem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch (cause) {
    throw unusable('tls.key', 'cannot be read', cause);
  }
}

/** An end that cannot be parsed compares false, and so is refused. */
function checkValidity(certificate: X509Certificate, nowMs: number, field: string): void {
  if (!(nowMs >= Date.parse(certificate.validFrom))) throw unusable(field, 'is not valid yet');
  if (!(nowMs < Date.parse(certificate.validTo))) throw unusable(field, 'has expired');
}

function unusable(field: string, why: string, cause?: unknown): HashfedError {
  return new HashfedError('USAGE', `${field}: ${why}`, { field, cause });
}
