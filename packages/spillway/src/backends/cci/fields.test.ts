import type { Container, Pod, PodSpec } from '@spillway/kube';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { inChinese } from '../../../testkit/pages/field-words.ts';
import { fieldRefusals, passedPart, rowsOf, type Rule } from '../../podspec/fit/fields.ts';
import { podFields } from '../kubernetes/fields/pod-fields.ts';
import { trusted } from '../trusted.ts';
import { cciRows, cciSupport } from './fields.ts';

const docs = new URL('../../../../../docs/', import.meta.url);

function refusalsOf(spec: Partial<PodSpec>, container: Partial<Container> = {}, version: 'v1' | 'v2' = 'v1'): string[] {
  const pod: Pod = { spec: { containers: [{ name: 'main', ...container }], ...spec } };
  const { fields, alsoRefused } = cciSupport[version];
  return [...fieldRefusals(pod, fields), ...alsoRefused(pod)].map(({ code, field }) => `${field} ${code}`);
}

const onArch = (operator: string, ...values: string[]): Partial<PodSpec> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/arch', operator, values }] }],
      },
    },
  },
});

test('an ordinary pod runs in CCI', () => {
  const spec: Partial<PodSpec> = {
    os: { name: 'linux' },
    hostUsers: true,
    nodeSelector: { type: 'virtual-kubelet', 'kubernetes.io/arch': 'amd64' },
    ...onArch('In', 'arm64', 'amd64'),
    subdomain: 'db',
    volumes: [
      { name: 'scratch', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'settings', configMap: { name: 'a' } },
    ],
  };
  const volumeMounts = [
    { name: 'scratch', mountPath: '/a' },
    { name: 'settings', mountPath: '/b', subPath: 'b' },
  ];
  expect(refusalsOf(spec, { volumeMounts, securityContext: { privileged: false } })).toEqual([]);
  expect(passedPart({ ...spec, containers: [] }, cciSupport.v1.fields)).not.toHaveProperty('os');
  expect(passedPart({ ...spec, containers: [] }, cciSupport.v1.fields)).not.toHaveProperty('hostUsers');
});

test.each<[string, Partial<PodSpec>, Partial<Container>]>([
  ['spec.hostNetwork host-namespace-unsupported', { hostNetwork: true }, {}],
  ['spec.hostPID host-namespace-unsupported', { hostPID: true }, {}],
  ['spec.hostIPC host-namespace-unsupported', { hostIPC: true }, {}],
  ['spec.hostUsers user-namespace-unsupported', { hostUsers: false }, {}],
  ['spec.os os-unsupported', { os: { name: 'windows' } }, {}],
  ['spec.nodeSelector architecture-unsupported', { nodeSelector: { 'kubernetes.io/arch': 'arm64' } }, {}],
  ['spec.affinity architecture-unsupported', onArch('In', 'arm64'), {}],
  ['spec.affinity architecture-unsupported', onArch('NotIn', 'amd64'), {}],
  ['spec.resources pod-resources-unsupported', { resources: { limits: { cpu: '1' } } }, {}],
  ['spec.volumes[0].hostPath volume-unsupported', { volumes: [{ name: 'v', hostPath: { path: '/' } }] }, {}],
  [
    'spec.containers[0].volumeMounts empty-dir-sub-path-unsupported',
    { volumes: [{ name: 'v', emptyDir: {} }] },
    { volumeMounts: ['a', 'b'].map((subPath) => ({ name: 'v', mountPath: `/${subPath}`, subPath })) },
  ],
  [
    'spec.containers[0].securityContext.privileged privileged-unsupported',
    {},
    { securityContext: { privileged: true } },
  ],
  [
    'spec.containers[0].startupProbe.tcpSocket startup-probe-by-tcp-unsupported',
    {},
    { startupProbe: { tcpSocket: { port: 80 } } },
  ],
  [
    'spec.initContainers[0].restartPolicy sidecar-unsupported',
    { initContainers: [{ name: 'first', restartPolicy: 'Never' }] },
    {},
  ],
  ['spec.containers[0].restartPolicy sidecar-unsupported', {}, { restartPolicy: 'Always' }],
  [
    'spec.containers[0].restartPolicyRules[0].action sidecar-unsupported',
    {},
    { restartPolicyRules: [{ action: 'Restart' }] },
  ],
])('CCI refuses %s', (refused, spec, container) => {
  expect(refusalsOf(spec, container)).toEqual([refused]);
});

test('CCI takes native sidecars', () => {
  const spec: Partial<PodSpec> = { initContainers: [{ name: 'side', restartPolicy: 'Always' }] };
  for (const version of ['v1', 'v2'] as const) {
    expect(refusalsOf(spec, {}, version)).toEqual([]);
    expect(passedPart(spec, cciSupport[version].fields)).toEqual(spec);
  }
});

test('a pod of a StatefulSet runs in CCI 2.0, too, which has no field for its subdomain', () => {
  const spec: Partial<PodSpec> = { hostname: 'db-0', subdomain: 'db' };
  expect(refusalsOf(spec, {}, 'v2')).toEqual([]);
  expect(passedPart(spec, cciSupport.v2.fields)).not.toHaveProperty('subdomain');
});

test('CCI 2.0 has volumes of NFS', () => {
  const volumes = [{ name: 'data', nfs: { server: '192.168.0.9', path: '/' } }];
  expect(refusalsOf({ volumes }, {}, 'v2')).toEqual([]);
  expect(refusalsOf({ volumes }, {}, 'v1')).toEqual(['spec.volumes[0].nfs volume-unsupported']);
});

/** The amounts of a container have no fields but the resources that somebody thinks of; what is refused whole names none. */
const fieldOf = (path: string): string => path.replace(/(\.resources\.(requests|limits)|volumes\.nfs)\..*/, '$1');

test('a row that differs is that of a field that there is', () => {
  const known = new Set(rowsOf(podFields).flatMap(({ path }) => prefixesOf(path.split('.'))));
  for (const version of ['v1', 'v2'] as const) {
    expect(Object.keys(cciRows[version]).filter((path) => !known.has(fieldOf(path)))).toEqual([]);
  }
});

test.for(['v1', 'v2'] as const)(
  'whatever CCI %s does not take is refused with a remedy, or does not leave',
  (version) => {
    const table = cciSupport[version].fields;
    for (const { path, rule } of rowsOf(table)) {
      const spec = specWith(path.split('.'));
      const refusals = fieldRefusals({ spec: trusted<PodSpec>(spec) }, table);
      if (rule.kind === 'refused') {
        expect([path, refusals]).toMatchObject([path, [{ code: rule.code, remedy: expect.stringMatching(/\.$/) }]]);
      }
      const sent = JSON.stringify(passedPart(spec, table)).includes('"planted"');
      expect([path, sent]).toEqual([path, rule.kind === 'passed' || rule.kind === 'checked']);
    }
  },
);

/** A spec of one field. */
function specWith([field = '', ...rest]: readonly string[]): object {
  return { [field]: rest.length === 0 ? 'planted' : specWith(rest) };
}

test('a pod that says how much disk it needs runs, and CCI is not told; one that needs more than CPU and memory does not', () => {
  const requests = { cpu: '1', memory: '2Gi', 'ephemeral-storage': '5Gi' };
  expect(refusalsOf({}, { resources: { requests, limits: requests } })).toEqual([]);
  const spec = { containers: [{ name: 'main', resources: { requests, limits: requests } }] };
  const size = { cpu: '1', memory: '2Gi' };
  expect(passedPart(spec, cciSupport.v1.fields)).toEqual({
    containers: [{ name: 'main', resources: { requests: size, limits: size } }],
  });
  expect(refusalsOf({}, { resources: { limits: { 'nvidia.com/gpu': '1' } } })).toEqual([
    'spec.containers[0].resources.limits.nvidia.com/gpu resource-unsupported',
  ]);
});

const page = (name: string): Promise<string> => readFile(new URL(name, docs), 'utf8');

test('the pages list the fields that differ from another cluster', async () => {
  expect(await page('cci.md')).toContain(differences());
  expect(await page('zh/cci.md')).toContain(inChinese(differences()));
});

function differences(): string {
  const lines = Object.entries(cciRows.v2)
    .filter(([path]) => !path.startsWith('initContainers.'))
    .map(([path, rule]) => `| \`${path}\` | ${outcome(rule)} | ${path in cciRows.v1 ? '' : '2.0'} |`);
  return ['| field | what becomes of it | only in CCI |', '|---|---|---|', ...lines].join('\n');
}

const link = (code: string): string => `[${code}](not-burstable.md#${code})`;

function outcome(rule: Rule): string {
  if (rule.kind === 'refused') return `refused: ${link(rule.code)}`;
  if (rule.kind === 'checked') return `some values refused: ${link(rule.code)}`;
  if (rule.kind !== 'dropped' || rule.unless === undefined) return rule.kind;
  return `dropped; some values refused: ${link(rule.unless.code)}`;
}

function prefixesOf(parts: readonly string[]): string[] {
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}
