/** Vectors of the strict Ed25519 profile. */
import { testKey } from './keys.js';
import { hex, unhex } from './vectors.js';

/** RFC 8032 §7.1, tests 1, 2, 3 and SHA(abc). */
const RFC8032 = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
];

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
const bigOf = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** The y coordinates of points of order 8, from y^2 = (1 ± sqrt(1 + d)) / d … as published; both signs follow. */
const ORDER_8 = [
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
];

export function smallOrderKeys(): string[] {
  const plain = [0n, 1n, P - 1n, P, P + 1n].map(littleEndian).map(hex);
  return [...plain, ...ORDER_8].flatMap((key) => {
    const signed = unhex(key);
    signed[31]! |= 0x80;
    return [key, hex(signed)];
  });
}

/** With a small-order key A, R = the identity and S = 0 verify for (nearly) every message: anybody's signature. */
const ANYBODYS = `01${'00'.repeat(63)}`;

export function makeEd25519(): unknown {
  const { publicKey, signer } = testKey('ed25519 vectors');
  const message = '6d657373616765';
  const signature = signer.sign(unhex(message));
  const [r, s] = [hex(signature.subarray(0, 32)), bigOf(signature.subarray(32))];
  const key = hex(publicKey);
  const good = hex(signature);
  const sized = (text: string, bytes: number): string => text.padEnd(2 * bytes, '0').slice(0, 2 * bytes);
  const invalid = [
    { why: 'S + L', publicKey: key, message, signature: r + hex(littleEndian(s + L)) },
    { why: 'S + 8 L', publicKey: key, message, signature: r + hex(littleEndian((s + 8n * L) % 2n ** 256n)) },
    { why: 'S = L', publicKey: key, message, signature: r + hex(littleEndian(L)) },
    { why: 'another message', publicKey: key, message: '6d', signature: good },
    { why: 'another key', publicKey: RFC8032[0]!.publicKey, message, signature: good },
    {
      why: 'R changed',
      publicKey: key,
      message,
      signature: `${good[0] === '0' ? '1' : '0'}${good.slice(1)}`,
    },
    { why: 'all zero', publicKey: key, message, signature: '00'.repeat(64) },
    ...[0, 1, 31, 33, 64].map((n) => ({
      why: `key of ${n} bytes`,
      publicKey: sized(key, n),
      message,
      signature: good,
    })),
    ...[0, 1, 32, 63, 65, 128].map((n) => ({
      why: `signature of ${n} bytes`,
      publicKey: key,
      message,
      signature: sized(good, n),
    })),
    ...smallOrderKeys().map((weak) => ({
      why: 'small-order key',
      publicKey: weak,
      message,
      signature: ANYBODYS,
    })),
    ...Array.from({ length: 17 }, (_, i) => P + 2n + BigInt(i)).map((y) => ({
      why: 'non-canonical key',
      publicKey: hex(littleEndian(y)),
      message,
      signature: good,
    })),
    { why: 'key not on the curve', publicKey: hex(littleEndian(2n)), message, signature: good },
  ];
  return { valid: [...RFC8032, { publicKey: key, message, signature: good }], invalid };
}
