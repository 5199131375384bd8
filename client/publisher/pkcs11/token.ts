import { equalBytes, HashfedError, type Random } from '../../../sdk/core/index.js';
import { type Handle, loadModule, P11, type Pkcs11, reasonOf } from './api.js';
import { EDWARDS25519, pointOf } from './point.js';

/** Objects that one search answers: far more keys than a publisher has. */
const MAX_OBJECTS = 1000;
const SIGNATURE_BYTES = 64;

export interface TokenOptions {
  /** Path of the vendor's module. */
  readonly module: string;
  readonly pin: string;
  /** Needed where the module shows several tokens. */
  readonly label?: string;
}

/** A session with one token, logged in. The private keys never leave it. MUST be closed. */
export class Token {
  readonly #api: Pkcs11;
  readonly #session: Handle;
  readonly #keys = new Map<string, Handle>();

  private constructor(api: Pkcs11, session: Handle) {
    this.#api = api;
    this.#session = session;
  }

  /** Throws USAGE for a module, token or PIN that does not work. */
  static open({ module, pin, label }: TokenOptions): Token {
    const api = loadModule(module);
    try {
      const session = api.C_OpenSession(chooseSlot(api, label), P11.CKF_SERIAL_SESSION | P11.CKF_RW_SESSION);
      api.C_Login(session, P11.CKU_USER, pin);
      return new Token(api, session);
    } catch (error) {
      close(api);
      throw failed('cannot open the token', error);
    }
  }

  /** Makes a key pair whose private half cannot be read out; answers the 32-byte public key. */
  generate(name: string, random: Random): Uint8Array {
    const id = Buffer.from(random.bytes(16));
    const common = [
      { type: P11.CKA_TOKEN, value: true },
      { type: P11.CKA_LABEL, value: name },
      { type: P11.CKA_ID, value: id },
    ];
    return this.#attempt('cannot make an Ed25519 key', () => {
      const { publicKey } = this.#api.C_GenerateKeyPair(
        this.#session,
        { mechanism: P11.CKM_EC_EDWARDS_KEY_PAIR_GEN },
        [...common, { type: P11.CKA_VERIFY, value: true }, { type: P11.CKA_EC_PARAMS, value: EDWARDS25519 }],
        [
          ...common,
          { type: P11.CKA_PRIVATE, value: true },
          { type: P11.CKA_SENSITIVE, value: true },
          { type: P11.CKA_EXTRACTABLE, value: false },
          { type: P11.CKA_SIGN, value: true },
        ],
      );
      return this.#point(publicKey);
    });
  }

  /** The signature of `message` by the private half of `publicKey`. Throws USAGE where the token has no such key. */
  sign(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
    const key = this.#privateKey(publicKey);
    return this.#attempt('cannot sign', () => {
      this.#api.C_SignInit(this.#session, { mechanism: P11.CKM_EDDSA }, key);
      const signature = this.#api.C_Sign(this.#session, Buffer.from(message), Buffer.alloc(SIGNATURE_BYTES));
      return new Uint8Array(signature);
    });
  }

  /** Whether the token holds both halves. */
  has(publicKey: Uint8Array): boolean {
    return this.#find(publicKey) !== undefined;
  }

  close(): void {
    close(this.#api);
  }

  #privateKey(publicKey: Uint8Array): Handle {
    return (
      this.#find(publicKey) ??
      (() => {
        throw new HashfedError('USAGE', 'the token does not hold this key', { field: 'pkcs11' });
      })()
    );
  }

  #find(publicKey: Uint8Array): Handle | undefined {
    const id = Buffer.from(publicKey).toString('hex');
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const found = this.#attempt('cannot search the token', () => this.#search(publicKey));
    if (found !== undefined) this.#keys.set(id, found);
    return found;
  }

  #search(publicKey: Uint8Array): Handle | undefined {
    const points = this.#objects([
      { type: P11.CKA_CLASS, value: P11.CKO_PUBLIC_KEY },
      { type: P11.CKA_KEY_TYPE, value: P11.CKK_EC_EDWARDS },
    ]);
    const own = points.find((object) => equalBytes(this.#point(object), publicKey));
    if (own === undefined) return undefined;
    const [id] = this.#api.C_GetAttributeValue(this.#session, own, [{ type: P11.CKA_ID }]);
    const [key] = this.#objects([
      { type: P11.CKA_CLASS, value: P11.CKO_PRIVATE_KEY },
      { type: P11.CKA_ID, value: id!.value },
    ]);
    return key;
  }

  #objects(template: Parameters<Pkcs11['C_FindObjectsInit']>[1]): Handle[] {
    this.#api.C_FindObjectsInit(this.#session, template);
    try {
      return this.#api.C_FindObjects(this.#session, MAX_OBJECTS);
    } finally {
      this.#api.C_FindObjectsFinal(this.#session);
    }
  }

  #point(object: Handle): Uint8Array {
    const [point] = this.#api.C_GetAttributeValue(this.#session, object, [{ type: P11.CKA_EC_POINT }]);
    return pointOf(point!.value);
  }

  #attempt<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw failed(what, error);
    }
  }
}

function chooseSlot(api: Pkcs11, label: string | undefined): Handle {
  const slots = api.C_GetSlotList(true).filter((slot) => {
    const name = api.C_GetTokenInfo(slot).label.trim();
    return label === undefined ? name !== '' : name === label;
  });
  const [slot] = slots;
  if (slot !== undefined && slots.length === 1) return slot;
  const why =
    slots.length === 0
      ? 'the module shows no such token'
      : 'the module shows several tokens: name one by its label';
  throw new HashfedError('USAGE', why, { field: 'pkcs11' });
}

function close(api: Pkcs11): void {
  try {
    api.C_Finalize();
  } finally {
    api.close();
  }
}

function failed(what: string, error: unknown): HashfedError {
  if (error instanceof HashfedError) return error;
  return new HashfedError('USAGE', `${what}: ${reasonOf(error)}`, { field: 'pkcs11', cause: error });
}
