import { expect, test } from 'vitest';
import { selectionOf, selectionOfNames } from './selection.ts';

const probing = '[sig-node] Probing container should be restarted with a /healthz http liveness probe [Conformance]';
const serial = '[sig-apps] Daemon set [Serial] should run and stop simple daemon [Conformance]';
const others = '[sig-node] Probing container should be restarted with a failing exec liveness probe';

const selects = ({ focus, skip }: { focus: string; skip: string }, name: string): boolean =>
  new RegExp(focus).test(name) && !new RegExp(skip).test(name);

test('conformance tests are selected unless they are serial', () => {
  expect([probing, serial, others].map((name) => selects(selectionOf([]), name))).toEqual([true, false, false]);
});

test('groups and parts of names narrow the selection', () => {
  expect(selects(selectionOf(['node', 'apps']), probing)).toBe(true);
  expect(selects(selectionOf(['apps']), probing)).toBe(false);
  expect(selects(selectionOf(['node'], 'healthz'), probing)).toBe(true);
  expect(selects(selectionOf(['node'], 'grpc|exec'), probing)).toBe(false);
});

test('a list of short names selects these and no others', () => {
  const short = '[sig-node] Probing container should be restarted with a /healthz http liveness probe';
  expect(selects(selectionOfNames([others, short]), `Kubernetes e2e suite ${probing} [NodeConformance]`)).toBe(true);
  expect(selects(selectionOfNames([short]), others)).toBe(false);
  const longer = `${short} twice [Conformance]`;
  expect(selects(selectionOfNames([short]), longer)).toBe(false);
});
