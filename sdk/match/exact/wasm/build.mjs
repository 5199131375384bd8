// Compiles assembly/ into module.ts. With --check, only compares.
import { buildModule } from '../../wasm/compile.mjs';

const memory = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'];
buildModule(import.meta.url, 'EXACT_WASM', ['--enable', 'simd,threads', ...memory]);
