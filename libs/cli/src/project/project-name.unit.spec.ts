import { expect, it } from 'vitest';
import { projectNameOf } from './project-name.ts';

it.each([
  ['/home/ada/taxi_fares-2.0', 'taxi_fares-2.0'],
  ['/home/ada/taxi fares (copy)', 'taxi-fares-copy-'],
  ['/home/ada/.ünder+way', 'nder-way'],
  [`/home/ada/${'a'.repeat(200)}`, 'a'.repeat(128)],
  ['/', 'project'],
])('a project in %s is called %s', (root, name) => {
  expect(projectNameOf(root)).toBe(name);
});
