/** SHA-256 as the core sees it: a backend that comes in as an argument. All backends give identical answers. */
export interface Sha256 {
  /** SHA-256 (FIPS 180-4) over the concatenation of the parts; 32 bytes. */
  digest(...parts: readonly Uint8Array[]): Uint8Array;
  /**
   * RFC 6962 leaf hashes SHA-256(0x00 ‖ leaf) of a packed bundle `(u16 len | leaf)*` that was already checked
   * to hold exactly `count` leaves; an erased leaf `u16 0 | 32 B leaf hash` passes through. `count` × 32 bytes.
   */
  hashLeaves(bundle: Uint8Array, count: number): Uint8Array;
  /** One level of an RFC 6962 tree: `nodes` is 2n × 32 bytes, the answer n × 32: SHA-256(0x01 ‖ left ‖ right). */
  hashPairs(nodes: Uint8Array): Uint8Array;
}
