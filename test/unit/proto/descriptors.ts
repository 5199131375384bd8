import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const PROTO = fileURLToPath(new URL('../../../proto/', import.meta.url));

/** All of `hashfed.v1` as an independent parser reads it from the .proto files. */
export function loadFromSource(files: readonly string[]): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith('google/protobuf/') ? target : PROTO + target);
  root.loadSync([...files], { keepCase: false });
  root.resolveAll();
  return root;
}

export const PROTO_FOLDER = PROTO;
