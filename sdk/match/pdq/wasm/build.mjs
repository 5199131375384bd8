// Compiles assembly/ into module.ts. With --check, only compares.
import { buildModule } from '../../wasm/compile.mjs';

const memory = ['--initialMemory', '16', '--maximumMemory', '65536', '--memoryBase', '16'];
buildModule(import.meta.url, 'PDQ_WASM', ['--enable', 'simd', ...memory]);
