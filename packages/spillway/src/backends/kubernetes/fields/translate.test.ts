import type { Container, EnvVar, PodSecurityContext, PodSpec, Volume, VolumeMount } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { dialects } from '../../cci/dialects.ts';
import { podDialect } from '../../cci/pod-dialect.ts';
import { makeWorkload, type WorkloadInput } from '../../testing/workloads.ts';
import { type ClaimBinding, type Dialect, kubernetesDialect } from '../dialect.ts';
import { mappedClaims } from '../mapped-claims.ts';
import { copyName, ownName } from '../pods/names.ts';
import { translate, type Translation } from './translate.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const login = { metadata: { resourceVersion: '7' }, data: { password: 'c2VzYW1l' } };

function translated(input: Omit<WorkloadInput, 'image'>, dialect: Dialect = kubernetesDialect): Translation {
  const workload = makeWorkload({ name: 'web', ...input, image: 'busybox' });
  return translate(workload, { dialect, owner, namespace: 'burst' });
}

function specOf(spec: WorkloadInput['spec'], more: Partial<WorkloadInput> = {}): PodSpec {
  return translated({ ...more, spec }).pod.spec ?? { containers: [] };
}

function mainOf(container: Partial<Container>, more: Partial<WorkloadInput> = {}): Container | undefined {
  return specOf({ containers: [container] }, more).containers[0];
}

function field(fieldPath: string): Pick<EnvVar, 'valueFrom'> {
  return { valueFrom: { fieldRef: { fieldPath } } };
}

function keyIn(volume: string): string {
  return expect.stringMatching(new RegExp(`^${volume}\\.[0-9a-f]{10}$`));
}

describe('ephemeral containers', () => {
  const debugging = {
    name: 'debug',
    image: 'tools',
    targetContainerName: 'main',
    stdin: true,
    tty: true,
    env: [
      { name: 'PLACE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'place' } } },
      { name: 'POD', ...field('metadata.name') },
    ],
    volumeMounts: [{ name: 'elsewhere', mountPath: '/elsewhere' }],
  };
  const configMaps = { settings: { metadata: { name: 'settings' }, data: { place: 'here' } } };

  test('come to a pod that is there, with their target, and no pod is created with them', () => {
    const spec = { containers: [{}], ephemeralContainers: [debugging] };
    const { pod, ephemeralContainers, copies } = translated({ spec, configMaps });
    expect(pod.spec).not.toHaveProperty('ephemeralContainers');
    const [{ name = '' } = {}] = copies.configMaps.map(({ metadata }) => metadata ?? {});
    expect(ephemeralContainers).toEqual([
      {
        name: 'debug',
        image: 'tools',
        targetContainerName: 'main',
        stdin: true,
        tty: true,
        env: expect.arrayContaining([
          { name: 'PLACE', valueFrom: { configMapKeyRef: { name, key: 'place' } } },
          { name: 'POD', value: 'web' },
        ]),
        volumeMounts: [],
      },
    ]);
  });
});

describe('a pod in another cluster', () => {
  test('says whose it is, and nothing to the scheduler and the accounts there', () => {
    const { pod } = translated({
      spec: {
        nodeSelector: { type: 'virtual-kubelet' },
        tolerations: [{ operator: 'Exists' }],
        priorityClassName: 'high',
        schedulerName: 'spillway',
        containers: [{}],
      },
    });
    expect(pod.metadata).toMatchObject({
      namespace: 'burst',
      name: expect.stringMatching(/^default-web-[0-9a-f]{10}$/),
      labels: { app: 'web', 'spillway.dev/cluster': 'home', 'spillway.dev/node': 'virtual' },
      finalizers: ['spillway.dev/status-read'],
    });
    expect(pod.spec).toEqual({
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      hostname: 'web',
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['10.96.0.10'],
        searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
        options: [{ name: 'ndots', value: '5' }],
      },
      containers: [expect.objectContaining({ name: 'main', image: 'busybox', imagePullPolicy: 'IfNotPresent' })],
      volumes: [],
      imagePullSecrets: [],
      enableServiceLinks: false,
      automountServiceAccountToken: false,
    });
  });

  test('does not ask to burst once more', () => {
    const workload = makeWorkload({ name: 'web', image: 'busybox', spec: { containers: [{}] } });
    const labels = { app: 'web', 'virtual-kubelet.io/burst-to-cci': 'enforce' };
    const pod = { ...workload.pod, metadata: { ...workload.pod.metadata, labels } };
    const options = { dialect: kubernetesDialect, owner, namespace: 'burst' };
    const translatedLabels = translate({ ...workload, pod }, options).pod.metadata?.labels;
    expect(translatedLabels).toHaveProperty('app', 'web');
    expect(translatedLabels).not.toHaveProperty(['virtual-kubelet.io/burst-to-cci']);
  });

  test('has its own host name, its dots where the cluster knows such names', () => {
    expect(specOf({ hostname: 'db', containers: [{}] }).hostname).toBe('db');
    const workload = makeWorkload({ name: 'v1.2', image: 'busybox', spec: { containers: [{}] } });
    const options = { dialect: kubernetesDialect, owner, namespace: 'burst' };
    const { pod, notices } = translate(workload, { ...options, hostnameOverride: true });
    expect(pod.spec).toMatchObject({ hostname: 'v1-2', hostnameOverride: 'v1.2' });
    expect(notices).toEqual([]);
    expect(translate(workload, options).notices).toMatchObject([{ reason: 'HostNameDiffers' }]);
  });

  test('gets a hosts file with its fully qualified name where a container of it can write one, and is told if not', () => {
    const spec = { subdomain: 'ring', containers: [{ command: ['sh'] }] };
    const { pod, notices } = translated({ spec });
    expect(pod.spec).not.toHaveProperty('subdomain');
    expect(pod.spec?.initContainers).toMatchObject([{ name: 'spillway-hosts', image: 'busybox' }]);
    expect(pod.spec?.containers[0]?.volumeMounts).toMatchObject([{ mountPath: '/etc/hosts' }]);
    expect(notices).toEqual([]);

    const cci = podDialect(dialects.v2, { region: 'r1', volumeRefresh: true });
    for (const without of [translated({ spec: { subdomain: 'ring', containers: [{}] } }), translated({ spec }, cci)]) {
      expect(without.pod.spec).not.toHaveProperty('initContainers');
      expect(without.pod.spec).not.toHaveProperty('subdomain');
      expect(without.notices).toMatchObject([{ reason: 'HostNameNotQualified' }]);
    }
  });
});

describe('variables', () => {
  test('from ConfigMaps and Secrets are references to copies', () => {
    const { pod, copies } = translated({
      spec: {
        containers: [
          {
            envFrom: [{ prefix: 'X_', secretRef: { name: 'login' } }],
            env: [
              { name: 'A', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
              { name: 'B', valueFrom: { configMapKeyRef: { name: 'absent', key: 'b', optional: true } } },
            ],
          },
        ],
      },
      secrets: { login, unused: login },
    });
    const copy = copyName(owner, 'default', 'login');
    expect(pod.spec?.containers[0]?.envFrom).toEqual([{ prefix: 'X_', secretRef: { name: copy } }]);
    expect(pod.spec?.containers[0]?.env).toEqual(
      expect.arrayContaining([
        { name: 'A', valueFrom: { secretKeyRef: { name: copy, key: 'password' } } },
        {
          name: 'B',
          valueFrom: { configMapKeyRef: { name: copyName(owner, 'default', 'absent'), key: 'b', optional: true } },
        },
      ]),
    );
    expect(copies.configMaps).toEqual([]);
    expect(copies.secrets).toMatchObject([{ metadata: { name: copy }, type: 'Opaque', data: login.data }]);
  });

  test('about metadata are written out, with dollar signs that stay dollar signs; those about status are asked there', () => {
    const env = [
      { name: 'NAME', ...field('metadata.name') },
      { name: 'ACCOUNT', ...field('spec.serviceAccountName') },
      { name: 'IP', ...field('status.podIP') },
      { name: 'URL', value: 'http://$(IP)' },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    ];
    const main = mainOf({ env }, { name: 'a$(b' });
    expect(main?.env?.slice(-5)).toEqual([
      { name: 'NAME', value: 'a$$(b' },
      { name: 'ACCOUNT', value: 'default' },
      { name: 'IP', ...field('status.podIP') },
      { name: 'URL', value: 'http://$(IP)' },
      { name: 'CPU', value: '4' },
    ]);
  });

  test('of the API server are blank, so that the one of the other cluster is not taken for it', () => {
    const env = mainOf({ env: [{ name: 'KUBERNETES_SERVICE_PORT', value: '1' }] })?.env ?? [];
    const values = new Map(env.map(({ name, value }) => [name, value]));
    expect(values.get('KUBERNETES_SERVICE_HOST')).toBe('');
    expect(values.get('KUBERNETES_PORT_443_TCP_ADDR')).toBe('');
    expect(values.get('KUBERNETES_SERVICE_PORT')).toBe('1');
    const dialect = { ...kubernetesDialect, clusterServices: true };
    const connected = translated({ spec: { containers: [{}] } }, dialect).pod.spec?.containers[0]?.env;
    expect(connected).toContainEqual({ name: 'KUBERNETES_SERVICE_HOST', value: '10.96.0.1' });
  });
});

const claim = (name: string, claimName: string): Volume => ({ name, persistentVolumeClaim: { claimName } });

const withClaims = (claims: ClaimBinding, volumes: Volume[], mounts: VolumeMount[] = []): Translation =>
  translated(
    {
      spec: { volumes, containers: [{ volumeMounts: mounts }] },
      claims: { all: {}, one: {}, two: {} },
    },
    { ...kubernetesDialect, claims },
  );

describe('volumes', () => {
  describe('of claims', () => {
    const folders: ClaimBinding = {
      mountOf: ({ name }) => {
        const folder = name === 'all' ? '' : `apps/$(${name})`;
        return { claimName: 'there', folder, copy: { metadata: { name: 'there' }, spec: { volumeName: 'v' } } };
      },
    };
    test('are those of the other cluster that the configuration names', () => {
      const volume: Volume = { name: 'a', persistentVolumeClaim: { claimName: 'all', readOnly: true } };
      const { pod, copies } = withClaims(mappedClaims({ 'default/all': 'their-data' }), [volume]);
      expect(pod.spec?.volumes).toEqual([
        { name: 'a', persistentVolumeClaim: { claimName: 'their-data', readOnly: true } },
      ]);
      expect(copies.claims).toEqual([]);
    });

    test('that are folders of one storage share it, and each mounts its own folder', () => {
      const volumes = [claim('a', 'all'), claim('b', 'one'), claim('c', 'two')];
      const { pod, copies } = withClaims(folders, volumes, [
        { name: 'a', mountPath: '/a' },
        { name: 'a', mountPath: '/part', subPath: 'x' },
        { name: 'b', mountPath: '/b' },
        { name: 'b', mountPath: '/b-part', subPath: 'x/y', readOnly: true },
        { name: 'c', mountPath: '/c', subPathExpr: '$(POD)/x' },
      ]);
      expect(copies.claims).toEqual([{ metadata: { name: 'there', namespace: 'burst' }, spec: { volumeName: 'v' } }]);
      expect(pod.spec?.volumes?.map((each) => each.persistentVolumeClaim?.claimName)).toEqual([
        'there',
        'there',
        'there',
      ]);
      expect(pod.spec?.containers[0]?.volumeMounts).toEqual([
        { name: 'a', mountPath: '/a' },
        { name: 'a', mountPath: '/part', subPath: 'x' },
        { name: 'b', mountPath: '/b', subPath: 'apps/$(one)' },
        { name: 'b', mountPath: '/b-part', subPath: 'apps/$(one)/x/y', readOnly: true },
        { name: 'c', mountPath: '/c', subPathExpr: 'apps/$$(two)/$(POD)/x' },
      ]);
    });

    test('that are not there are nothing that a cluster takes', () => {
      const { pod } = withClaims(mappedClaims({}), [claim('a', 'all')]);
      expect(pod.spec?.volumes).toEqual([claim('a', '')]);
    });
  });

  test('that the API server added stay behind, with their mounts', () => {
    const token = { serviceAccountToken: { path: 'token' } };
    const rootCa = { configMap: { name: 'kube-root-ca.crt' } };
    const volumes = [
      { name: 'kube-api-access-abcde', projected: { sources: [token, rootCa] } },
      { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ];
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
    const { pod, copies } = translated({
      spec: { volumes, containers: [{ volumeMounts }] },
      configMaps: { 'kube-root-ca.crt': { data: { 'ca.crt': 'x' } } },
    });
    expect(pod.spec?.volumes).toEqual([volumes[1]]);
    expect(pod.spec?.containers[0]?.volumeMounts).toEqual([volumeMounts[1]]);
    expect(copies).toEqual({ configMaps: [], secrets: [], claims: [] });
  });

  test('show copies by reference, and tokens and metadata from objects of the pod’s own', () => {
    const workload = makeWorkload({
      name: 'web',
      image: 'busybox',
      spec: {
        containers: [{}],
        volumes: [
          { name: 'settings', configMap: { name: 'settings', items: [{ key: 'a', path: 'b' }], defaultMode: 0o400 } },
          { name: 'facts', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          {
            name: 'all',
            projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { secret: { name: 'login' } }] },
          },
        ],
      },
      configMaps: { settings: { data: { a: '1' } } },
      secrets: { login },
    });
    const options = { dialect: kubernetesDialect, owner, namespace: 'burst' };
    const { pod, copies } = translate(workload, options);
    const own = ownName(workload.ref);
    expect(pod.spec?.volumes).toEqual([
      {
        name: 'settings',
        configMap: {
          name: copyName(owner, 'default', 'settings'),
          items: [{ key: 'a', path: 'b' }],
          defaultMode: 0o400,
        },
      },
      { name: 'facts', configMap: { name: own, items: [{ key: keyIn('facts'), path: 'labels', mode: 0o644 }] } },
      {
        name: 'all',
        projected: {
          sources: [
            { secret: { name: own, items: [{ key: keyIn('all'), path: 'token', mode: 0o644 }] } },
            { secret: { name: copyName(owner, 'default', 'login') } },
          ],
        },
      },
    ]);
    expect(copies.configMaps.map(({ metadata, data }) => [metadata?.name, Object.values(data ?? {})])).toEqual([
      [copyName(owner, 'default', 'settings'), ['1']],
      [own, ['app="web"']],
    ]);
    expect(copies.secrets.map(({ metadata }) => metadata?.name)).toEqual([copyName(owner, 'default', 'login'), own]);
  });
});

describe('a token, whose file belongs to root there,', () => {
  test.each<[string, PodSecurityContext, number]>([
    ['is readable by the pod’s user when that is another', { runAsUser: 1000 }, 0o644],
    ['is for nobody else when the pod’s user is root', { runAsUser: 0 }, 0o600],
    ['is for the pod’s group, to which a kubelet gives it', { runAsUser: 1000, fsGroup: 2000 }, 0o600],
    ['is for the pod’s group, whoever its users are', { fsGroup: 2000 }, 0o600],
    ['has the mode of its volume when nobody is said to own it', {}, 0o644],
  ])('%s', (_, securityContext, mode) => {
    const volumes = [{ name: 'all', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }];
    const spec = specOf({ securityContext, containers: [{}], volumes });
    expect(spec.volumes?.[0]?.projected?.sources?.[0]?.secret?.items).toMatchObject([{ path: 'token', mode }]);
  });
});

describe('pull Secrets', () => {
  const spec = { imagePullSecrets: [{ name: 'login' }, { name: 'absent' }], containers: [{}] };

  test('are copied', () => {
    const { pod } = translated({ spec, secrets: { login } });
    expect(pod.spec?.imagePullSecrets).toEqual([{ name: copyName(owner, 'default', 'login') }]);
  });

  test('stay at home where the other cluster takes one name only', () => {
    const { pod, copies } = translated(
      { spec, secrets: { login } },
      { ...kubernetesDialect, pullSecret: 'imagepull-secret' },
    );
    expect(pod.spec?.imagePullSecrets).toEqual([{ name: 'imagepull-secret' }]);
    expect(copies.secrets).toEqual([]);
  });
});
