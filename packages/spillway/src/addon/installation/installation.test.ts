import type { KubeObject, NetworkPolicy, PodSpec, Service } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { deploymentIn, objectsOf, simulatedPool } from '../testing/installations.ts';
import { restrictedViolations } from '../testing/pod-security.ts';

const names = (objects: readonly KubeObject[]): string[] =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata?.name ?? ''}`);
const podOf = (objects: readonly KubeObject[]): PodSpec => {
  const spec = deploymentIn(objects).spec?.template.spec;
  if (spec === undefined) throw new Error('the Deployment has no pods');
  return spec;
};
const digest = (objects: readonly KubeObject[]): unknown => deploymentIn(objects).spec?.template.metadata?.annotations;
const linked = `${simulatedPool}link: {image: "registry.example.com/agent:1"}\n`;

describe('what is installed', () => {
  it('is complete: what Spillway needs comes before it, and what sends pods to it after it', () => {
    const installed = names(objectsOf());
    const at = installed.indexOf('Deployment spillway');
    expect(installed.slice(0, at)).toEqual(
      expect.arrayContaining([
        'Namespace spillway-system',
        'CustomResourceDefinition scheduleprofiles.scheduling.cci.io',
        'ServiceAccount spillway',
        'ClusterRoleBinding spillway-controller',
        'RoleBinding spillway-leader-election',
        'ConfigMap spillway-config',
        'Service spillway-metrics',
        'NetworkPolicy spillway',
      ]),
    );
    expect(installed.slice(at + 1)).toEqual(
      expect.arrayContaining(['Service spillway-admission', 'MutatingAdmissionPolicy spillway-pods']),
    );
  });

  it('names nothing twice', () => {
    for (const objects of [objectsOf(), objectsOf(linked, { replicas: 2 })]) {
      const keys = objects.map(({ kind, metadata }) => [kind, metadata?.namespace, metadata?.name].join(' '));
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  it('lets only restricted pods into its own namespace, and leaves a namespace of others as it is', () => {
    const [space] = objectsOf();
    expect(space?.metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    expect(names(objectsOf(simulatedPool, { ownsNamespace: false }))).not.toContain('Namespace spillway-system');
  });

  it('can be told apart from another installation in the same cluster', () => {
    const shared = ['Namespace spillway-system', 'CustomResourceDefinition scheduleprofiles.scheduling.cci.io'];
    const other = names(objectsOf(`name: second\n${simulatedPool}`, { replicas: 2 }));
    const both = names(objectsOf(simulatedPool, { replicas: 2 })).filter((name) => other.includes(name));
    expect(both).toEqual(shared);
  });

  it('is found by the labels of the installation, all but what installations share', () => {
    for (const { kind = '', metadata } of objectsOf(linked, { replicas: 2 })) {
      expect(metadata?.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'spillway' });
      if (kind === 'Namespace' || kind === 'CustomResourceDefinition') continue;
      expect(metadata?.labels, kind).toMatchObject({ 'app.kubernetes.io/instance': 'spillway' });
    }
  });

  it('uses admission policies where the cluster has them, and webhooks where it has none', () => {
    const old = names(objectsOf(simulatedPool, { abilities: { mutatingPolicies: false, validatingPolicies: false } }));
    expect(old.filter((name) => name.includes('Policy') && !name.startsWith('NetworkPolicy'))).toEqual([]);
    expect(old).toContain('MutatingWebhookConfiguration spillway');
  });
});

describe('pods of an installation', () => {
  const files = [{ file: '0-login.yaml', content: Buffer.from('accessKey: a') }];
  const mounts = [{ secret: 'other', folder: '/etc/spillway/other' }];

  it.each([
    ['single', objectsOf()],
    [
      'highly available, with all that can be mounted',
      objectsOf(linked, { replicas: 2, files, mounts, stateClaim: 'ledger' }),
    ],
  ])('pass Pod Security "restricted": %s', (_, objects) => {
    expect(restrictedViolations(podOf(objects))).toEqual([]);
  });

  it('can write nothing but their state and temporary files', () => {
    const { containers } = podOf(objectsOf(linked, { files, mounts }));
    const [container] = containers;
    expect(container?.securityContext?.readOnlyRootFilesystem).toBe(true);
    const writable = container?.volumeMounts?.filter(({ readOnly }) => readOnly !== true);
    expect(writable?.map(({ mountPath }) => mountPath)).toEqual(['/var/lib/spillway', '/tmp']);
  });

  it('find the files of the user, and Secrets of the user in their folders', () => {
    const objects = objectsOf(simulatedPool, { files, mounts });
    const { volumes, containers } = podOf(objects);
    expect(objects).toContainEqual(
      expect.objectContaining({
        kind: 'Secret',
        data: { '0-login.yaml': Buffer.from('accessKey: a').toString('base64') },
      }),
    );
    const mounted = containers[0]?.volumeMounts ?? [];
    const volumeAt = (folder: string): unknown =>
      volumes?.find(({ name }) => name === mounted.find(({ mountPath }) => mountPath === folder)?.name)?.secret;
    expect(volumeAt('/etc/spillway/files')).toMatchObject({
      secretName: 'spillway-files',
      items: [{ key: '0-login.yaml', path: '0-login.yaml' }],
    });
    expect(volumeAt('/etc/spillway/other')).toMatchObject({ secretName: 'other' });
  });

  it('never run on virtual nodes', () => {
    expect(JSON.stringify(podOf(objectsOf()).affinity)).toContain(
      '{"key":"type","operator":"NotIn","values":["virtual-kubelet"]}',
    );
  });

  it('are replaced when the configuration or a file of it has changed, and only then', () => {
    expect(digest(objectsOf())).toEqual(digest(objectsOf()));
    expect(digest(objectsOf(linked))).not.toEqual(digest(objectsOf()));
    expect(digest(objectsOf(simulatedPool, { files }))).not.toEqual(digest(objectsOf()));
  });

  it('are there before old ones go, and cannot all be evicted at once', () => {
    expect(deploymentIn(objectsOf()).spec?.strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(names(objectsOf(simulatedPool, { replicas: 2 }))).toContain('PodDisruptionBudget spillway');
    // One alone could never be evicted.
    expect(names(objectsOf())).not.toContain('PodDisruptionBudget spillway');
  });

  it('are reached at every port that they serve, and at no other', () => {
    const objects = objectsOf(linked);
    const ports = podOf(objects).containers[0]?.ports?.map(({ containerPort }) => containerPort);
    expect(ports).toEqual([8081, 9443, 10_270, 10_250]);
    const policy = objects.find((object): object is NetworkPolicy => object.kind === 'NetworkPolicy');
    expect(policy?.spec?.ingress?.[0]?.ports?.map(({ port }) => port)).toEqual(ports);
    const targets = objects
      .filter((object): object is Service => object.kind === 'Service')
      .flatMap(({ spec }) => spec?.ports?.map(({ targetPort }) => targetPort) ?? []);
    expect(targets).toEqual(['kubelet-0', 'link', 9443]);
  });
});
