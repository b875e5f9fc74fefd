import { describe, expect, test } from 'vitest';
import { defaultLimits, formatMap, metadataField, resourceField } from './field-paths.ts';

const pod = {
  metadata: {
    name: 'web-0',
    namespace: 'shop',
    uid: 'u-1',
    labels: { app: 'web', 'a.b/c': 'x' },
    annotations: { "it's": 'fine', 'a[b]c': 'odd' },
  },
  spec: { containers: [] },
};

describe('a field of the pod', () => {
  test.each([
    ['metadata.name', 'web-0'],
    ['metadata.namespace', 'shop'],
    ['metadata.uid', 'u-1'],
    ["metadata.labels['app']", 'web'],
    ["metadata.labels['a.b/c']", 'x'],
    ["metadata.labels['none']", ''],
    ["metadata.annotations['a[b]c']", 'odd'],
    ['metadata.labels', 'a.b/c="x"\napp="web"'],
  ])('%s is %j', (path, value) => {
    expect(metadataField(pod, path)).toEqual({ ok: true, value });
  });

  test.each(['spec.schedulerName', "metadata.name['x']", 'metadata', ''])('%j is refused', (path) => {
    expect(metadataField(pod, path)).toMatchObject({ ok: false });
  });

  test('maps are written sorted and quoted as Go quotes', () => {
    expect(formatMap({ b: 'two\nlines "quoted" \\', a: '中\u0007\u0001\u00a0\u{e0001}' })).toBe(
      String.raw`a="中\a\x01\u00a0\U000e0001"` + '\n' + String.raw`b="two\nlines \"quoted\" \\"`,
    );
  });
});

describe('a resource of a container', () => {
  const container = { name: 'c', resources: { requests: { cpu: '250m', memory: '1Mi' }, limits: { memory: '64Mi' } } };
  const limits = defaultLimits(pod, { cpu: '4', memory: '8Gi', 'ephemeral-storage': '10Gi' });

  test.each([
    ['requests.cpu', undefined, '1'],
    ['requests.cpu', '1m', '250'],
    ['requests.memory', '1Ki', '1024'],
    ['limits.memory', '1Mi', '64'],
    ['limits.memory', '0', String(64 * 1024 * 1024)],
    ['limits.cpu', undefined, '4'],
    ['limits.ephemeral-storage', '1Gi', '10'],
    ['requests.ephemeral-storage', undefined, '0'],
    ['limits.hugepages-2Mi', undefined, '0'],
  ])('%s by %s is %s', (resource, divisor, value) => {
    expect(resourceField({ resource, ...(divisor !== undefined && { divisor }) }, container, limits)).toEqual({
      ok: true,
      value,
    });
  });

  test('that is not set is the pod’s limit before it is the node’s', () => {
    const limited = { ...pod, spec: { containers: [], resources: { limits: { cpu: '2' } } } };
    expect(resourceField({ resource: 'limits.cpu' }, container, defaultLimits(limited, { cpu: '4' }))).toEqual({
      ok: true,
      value: '2',
    });
  });

  test.each(['limits.gpu', 'cpu', 'limits', 'limits.'])('%s is refused', (resource) => {
    expect(resourceField({ resource }, container, limits)).toMatchObject({ ok: false });
  });
});
