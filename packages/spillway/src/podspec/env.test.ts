import type { ConfigMap, Container, Secret } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { expandAll, fillLate, resolveEnvironment, type ResolvedEnvironment } from './env.ts';

const configMaps: Record<string, ConfigMap> = {
  settings: { data: { colour: 'blue', 'with.dot': 'yes', constructor: 'own' } },
  more: { data: { colour: 'red' } },
};
const secrets: Record<string, Secret> = { login: { data: { password: Buffer.from('säsame').toString('base64') } } };
const services = new Map([
  ['KUBERNETES_SERVICE_HOST', '10.0.0.1'],
  ['SHADOWED', 'service'],
]);

function resolve(container: Partial<Container>): ResolvedEnvironment {
  const complete = { name: 'main', ...container };
  const pod = {
    metadata: { name: 'web-0', namespace: 'shop' },
    spec: { nodeName: 'virtual', serviceAccountName: 'robot', containers: [complete] },
  };
  const sources = { configMap: (name: string) => configMaps[name], secret: (name: string) => secrets[name] };
  return resolveEnvironment(pod, complete, sources, { allocatable: { cpu: '4' } }, services);
}

function valuesOf(container: Partial<Container>): Record<string, string> {
  const facts = { podIPs: ['10.1.0.2', 'fd00::2'], hostIPs: ['192.0.2.1', '2001:db8::1'] };
  return Object.fromEntries(fillLate(resolve(container).variables, facts));
}

const field = (name: string, fieldPath: string): { name: string; valueFrom: object } => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});

describe('the environment of a container', () => {
  test('has the variables of Services that nobody else has set, at the end', () => {
    const { variables } = resolve({ env: [{ name: 'SHADOWED', value: 'own' }] });
    expect(variables.map(({ name }) => name)).toEqual(['SHADOWED', 'KUBERNETES_SERVICE_HOST']);
    expect(variables[0]?.value).toEqual(['own']);
  });

  test('imports whole objects with a prefix; later ones and single variables override', () => {
    const container = {
      envFrom: [
        { prefix: 'A_', configMapRef: { name: 'settings' } },
        { configMapRef: { name: 'settings' } },
        { configMapRef: { name: 'more' } },
        { secretRef: { name: 'login' } },
      ],
      env: [{ name: 'A_colour', value: 'green' }],
    };
    expect(valuesOf(container)).toMatchObject({
      A_colour: 'green',
      'A_with.dot': 'yes',
      colour: 'red',
      'with.dot': 'yes',
      password: 'säsame',
    });
  });

  test('a reference sees what is before it and Services, and nothing behind it', () => {
    const env = [
      { name: 'EARLY', value: '$(LATE) $(KUBERNETES_SERVICE_HOST)' },
      { name: 'LATE', value: 'late' },
      { name: 'LAST', value: '$(EARLY) $(LATE) $$(LATE)' },
    ];
    expect(valuesOf({ env })).toMatchObject({
      EARLY: '$(LATE) 10.0.0.1',
      LAST: '$(LATE) 10.0.0.1 late $(LATE)',
    });
  });

  test('fields and resources are filled in', () => {
    const env = [
      field('NAME', 'metadata.name'),
      field('NODE', 'spec.nodeName'),
      field('ACCOUNT', 'spec.serviceAccountName'),
      field('IP', 'status.podIP'),
      field('IPS', 'status.podIPs'),
      field('HOST', 'status.hostIP'),
      field('HOSTS', 'status.hostIPs'),
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'URL', value: 'http://$(IP):80' },
      { name: 'EMPTY' },
    ];
    expect(valuesOf({ env })).toMatchObject({
      NAME: 'web-0',
      NODE: 'virtual',
      ACCOUNT: 'robot',
      IP: '10.1.0.2',
      IPS: '10.1.0.2,fd00::2',
      HOST: '192.0.2.1',
      HOSTS: '192.0.2.1,2001:db8::1',
      CPU: '4',
      URL: 'http://10.1.0.2:80',
      EMPTY: '',
    });
  });

  test('what is optional and absent is left out', () => {
    const env = [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'x', optional: true } } },
      { name: 'B', valueFrom: { secretKeyRef: { name: 'login', key: 'none', optional: true } } },
    ];
    const envFrom = [
      { configMapRef: { name: 'none', optional: true } },
      { secretRef: { name: 'none', optional: true } },
    ];
    const { variables, lacking } = resolve({ env, envFrom });
    expect(variables.map(({ name }) => name)).toEqual([...services.keys()]);
    expect(lacking).toEqual([]);
  });

  test('what is mandatory and absent is named in the kubelet’s words', () => {
    const env = [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'x' } } },
      { name: 'B', valueFrom: { configMapKeyRef: { name: 'settings', key: 'none' } } },
      { name: 'C', valueFrom: { configMapKeyRef: { name: 'more', key: 'constructor' } } },
      { name: 'D', valueFrom: { secretKeyRef: { name: 'none', key: 'x' } } },
      { name: 'E', valueFrom: { secretKeyRef: { name: 'login', key: 'none' } } },
      { name: 'F', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } },
    ];
    const envFrom = [{ configMapRef: { name: 'gone' } }, { secretRef: { name: 'gone' } }];
    expect(resolve({ env, envFrom }).lacking.map(({ message }) => message)).toEqual([
      'configmap "gone" not found',
      'secret "gone" not found',
      'configmap "none" not found',
      "couldn't find key none in ConfigMap shop/settings",
      "couldn't find key constructor in ConfigMap shop/more",
      'secret "none" not found',
      "couldn't find key none in Secret shop/login",
      'unsupported fieldPath: status.phase',
    ]);
  });

  test('names that cannot be variables are left out, and said', () => {
    const { variables, notices } = resolve({ envFrom: [{ prefix: 'a=b', configMapRef: { name: 'more' } }] });
    expect(variables.map(({ name }) => name)).not.toContain('a=bcolour');
    expect(notices).toMatchObject([
      { severity: 'Warning', reason: 'InvalidEnvironmentVariableNames', message: expect.stringContaining('a=bcolour') },
    ]);
  });

  test('command and arguments take the final values', () => {
    expect(expandAll(['$(A)', '$$(A)', '$(B)'], new Map([['A', 'x']]))).toEqual(['x', '$(A)', '$(B)']);
  });
});
