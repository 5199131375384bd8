/** What grpc-js reports of a connection that was not made, and what that means for whoever configured it. */
const CAUSES: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [
    /connect ECONNREFUSED (\S+?)\.?(?:\s|$)/,
    ([, where]) => `nothing listens at ${where} (ECONNREFUSED); check the address, and that the server runs`,
  ],
  [
    /connect (ETIMEDOUT|EHOSTUNREACH|ENETUNREACH) (\S+?)\.?(?:\s|$)/,
    ([, code, where]) => `${where} cannot be reached (${code}); check the address and the network`,
  ],
  [
    /^Name resolution failed for target (?:dns:)?(\S+)/,
    ([, where]) => `no host is known for ${where}; check the address, and DNS`,
  ],
  [
    /altnames: Host: (\S+?)\.? is not in the cert's altnames: (.*)$/,
    ([, wanted, held]) =>
      `the server's certificate is not for ${wanted} but for ${held}; check the address, or set server_name`,
  ],
  [
    /self-signed certificate.*|unable to (?:verify|get).*/,
    ([why]) => `the server's certificate is not of the authority in tls.ca: ${why}`,
  ],
];

/** A transport failure in one sentence; what is not known is told as it came. */
export function unreachable(details: string): string {
  for (const [pattern, say] of CAUSES) {
    const found = pattern.exec(details);
    if (found !== null) return say(found);
  }
  return details
    .replace(/^No connection established\. Last error: (?:Error(?: \[\w+\])?: )?/, '')
    .replace(/\.? Resolution note:\s*$/, '');
}
