import { readFile } from 'node:fs/promises';
import type { Pod } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { isCovered } from '../../testing/field-coverage.ts';
import { fieldRefusals, passedPart, refused, rowsOf, withRows } from '../../../podspec/fit/fields.ts';
import { podFields } from './pod-fields.ts';

const generated = new URL('../../../../../kube/src/generated/core-v1.ts', import.meta.url);

/** The amounts of a container have no fields but the resources that somebody thinks of. */
const fieldOf = (path: string): string => path.replace(/(resources\.(requests|limits))\..*/, '$1');

const withGpus = (amount: string): Pod => ({
  spec: { containers: [{ name: 'web', resources: { limits: { cpu: '1', 'nvidia.com/gpu': amount } } }] },
});

describe('the table of fields', () => {
  test('has a rule for every field of a pod’s spec, and none for a field that does not exist', async () => {
    const paths = leavesOf(await readTypes(), 'PodSpec');
    expect(paths.length).toBeGreaterThan(300);
    expect(paths.filter((path) => !isCovered(podFields, path.split('.')))).toEqual([]);
    const known = new Set(paths.flatMap((path) => prefixesOf(path.split('.'))));
    expect(rowsOf(podFields).filter(({ path }) => !known.has(fieldOf(path)))).toEqual([]);
  });

  test('another kind of cluster differs in some rows', () => {
    const table = withRows(podFields, {
      'containers.startupProbe.tcpSocket': refused('startup-probe-by-tcp-unsupported'),
    });
    const startupProbe = { tcpSocket: { port: 80 }, periodSeconds: 1 };
    const pod = { spec: { containers: [{ name: 'web', startupProbe }] } };
    expect(fieldRefusals(pod, podFields)).toEqual([]);
    expect(fieldRefusals(pod, table)).toMatchObject([
      { code: 'startup-probe-by-tcp-unsupported', field: 'spec.containers[0].startupProbe.tcpSocket' },
    ]);
    expect(passedPart(pod.spec, table)).toEqual({ containers: [{ name: 'web', startupProbe: { periodSeconds: 1 } }] });
  });
});

describe('a pod', () => {
  test('that runs anywhere is not refused', () => {
    const spec = {
      hostNetwork: false,
      os: { name: 'linux' },
      volumes: [{ name: 'scratch', emptyDir: {} }],
      containers: [{ name: 'web', livenessProbe: { grpc: { port: 1 } }, securityContext: { privileged: true } }],
    };
    expect(fieldRefusals({ spec }, podFields)).toEqual([]);
  });

  test('is refused with every field that cannot be had', () => {
    const spec = {
      hostPID: true,
      os: { name: 'windows' },
      runtimeClassName: 'gvisor',
      volumes: [
        { name: 'disk', hostPath: { path: '/' } },
        { name: 'huge', emptyDir: { medium: 'HugePages' } },
      ],
      containers: [{ name: 'web', securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a' } } }],
    };
    expect(fieldRefusals({ spec }, podFields).map(({ code, field }) => [field, code])).toEqual([
      ['spec.hostPID', 'host-namespace-unsupported'],
      ['spec.os.name', 'os-unsupported'],
      ['spec.runtimeClassName', 'runtime-class-unsupported'],
      ['spec.volumes[0].hostPath', 'volume-unsupported'],
      ['spec.volumes[1].emptyDir.medium', 'empty-dir-medium-unsupported'],
      ['spec.containers[0].securityContext.seccompProfile.type', 'security-profile-unsupported'],
    ]);
  });

  test('that asks for more than its node shows is refused, and nothing is no amount', () => {
    expect(fieldRefusals(withGpus('0'), podFields)).toEqual([]);
    expect(fieldRefusals(withGpus('1'), podFields)).toMatchObject([
      { code: 'resource-unsupported', field: 'spec.containers[0].resources.limits.nvidia.com/gpu' },
    ]);
  });

  test('with a field of a newer Kubernetes is refused, because it would be left out', () => {
    const later = { containers: [{ name: 'web', teleport: { to: 'moon' } }], newList: [] };
    expect(fieldRefusals({ spec: later }, podFields)).toMatchObject([
      { code: 'field-unsupported', field: 'spec.containers[0].teleport' },
    ]);
  });
});

type Types = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** The generated types, by name: type of each field. */
async function readTypes(): Promise<Types> {
  const text = await readFile(generated, 'utf8');
  const interfaces = text.matchAll(/^export interface (\w+) \{\n(.*?)^\}/gms);
  return new Map(
    Array.from(interfaces, ([, name = '', body = '']) => {
      const fields = body.matchAll(/^ {2}(\w+)\??: (.+);$/gm);
      return [name, new Map(Array.from(fields, ([, field = '', type = '']) => [field, type]))];
    }),
  );
}

function leavesOf(types: Types, name: string, prefix = ''): string[] {
  return [...(types.get(name) ?? [])].flatMap(([field, type]) => {
    const element = type.replace(/\[\]$/, '');
    return types.has(element) && !prefix.includes('volumeClaimTemplate')
      ? leavesOf(types, element, `${prefix}${field}.`)
      : [prefix + field];
  });
}

function prefixesOf(parts: readonly string[]): string[] {
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}
