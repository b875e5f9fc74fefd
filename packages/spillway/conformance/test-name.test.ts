import { expect, test } from 'vitest';
import { shortName, sigOf } from './test-name.ts';

test('a test has one name, wherever its tags stand', () => {
  const name = '[sig-storage] EmptyDir volumes should support (root,0644,tmpfs) [LinuxOnly]';
  expect(shortName(`${name} [Conformance] [NodeConformance]`)).toBe(name);
  expect(shortName('[sig-node] InitContainer [NodeConformance] should start [Conformance] [Slow]')).toBe(
    '[sig-node] InitContainer should start [Slow]',
  );
});

test('a test belongs to the group that its name begins with', () => {
  expect(sigOf('[sig-node] Probing container')).toBe('node');
  expect(sigOf('[sig-api-machinery] Watchers')).toBe('api-machinery');
});
