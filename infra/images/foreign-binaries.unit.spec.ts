import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isForeignBinary } from './foreign-binaries.ts';

const linux = { platform: 'linux', arch: 'x64' };
const bin = 'node_modules/onnxruntime-node/bin/napi-v6';

it.each([
  [`${bin}/linux/x64/libonnxruntime.so.1`, false],
  [`${bin}/linux/x64`, false],
  [`${bin}/linux`, false],
  [bin, false],
  [`${bin}/linux/arm64/libonnxruntime.so.1`, true],
  [`${bin}/darwin`, true],
  [`${bin}/win32/x64/onnxruntime.dll`, true],
  ['node_modules/fastify/lib/win32/x64.js', false],
])('%s is for another platform: %s', (file, foreign) => {
  expect(isForeignBinary(file, linux)).toBe(foreign);
});

it('leaves the part that this machine loads', () => {
  const root = join(import.meta.dirname, '..', '..');
  const native = globSync(`${bin}/**/*.node`, { cwd: root });
  expect(native.filter((file) => !isForeignBinary(file))).toHaveLength(1);
  expect(native.length).toBeGreaterThan(1);
});
