import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  configMaps,
  type Container,
  cronJobs,
  KubeClient,
  type KubeObject,
  nameOf,
  namespaces,
  persistentVolumeClaims,
  persistentVolumes,
  type Pod,
  pods,
  type PodSpec,
  refOf,
  type ResourceType,
  roleBindings,
  roles,
  type Secret,
  secrets,
  serviceAccounts,
  staticCredentials,
  systemClock,
  type TokenRequest,
  uidOf,
} from '@spillway/kube';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { InstanceChange, Workload } from '../backend.ts';
import { describeBackendConformance } from '../testing/conformance.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { Driver } from '../testing/driver.ts';
import { RemoteCluster } from '../testing/remote-cluster.ts';
import { forever, makeWorkload, script, type WorkloadInput } from '../testing/workloads.ts';
import { endSilent, type SilenceReport } from '../../removal/dead-man.ts';
import type { KubernetesBackend } from './kubernetes-backend.ts';
import { podName } from './pods/names.ts';
import { silenceThere } from './survey.ts';
import { describeContainers } from './testing/containers.ts';

const qualified = (name: string): string => `${name}.ring.default.svc.cluster.local`;

const registryLogin = (password: string, resourceVersion: string): Secret => {
  const config = JSON.stringify({ auths: { 'registry.example': { username: 'me', password } } });
  const data = { '.dockerconfigjson': Buffer.from(config).toString('base64') };
  return { metadata: { resourceVersion }, type: 'kubernetes.io/dockerconfigjson', data };
};

const edit = (made: Workload, pod: Partial<Pod>, revision: string): Workload => ({
  ...made,
  pod: { ...made.pod, ...pod },
  revision,
});

const resources = (cpu: string): Required<Container>['resources'] => ({
  requests: { cpu, memory: '32Mi' },
  limits: { cpu, memory: '32Mi' },
});

const sleeping = (image: string, cpu: string): Container => ({
  name: 'main',
  image,
  ...forever,
  resources: resources(cpu),
});

describe('pods in another cluster', () => {
  let remote: RemoteCluster;

  beforeAll(async () => {
    remote = await RemoteCluster.start();
  });

  afterAll(async () => {
    await remote?.dispose();
  });

  describeBackendConformance('kubernetes', async () => ({
    image: remote.image,
    elsewhere: { stoppedIsGone: false },
    open: async () => remote.open(),
    residue: () => remote.residue(),
  }));

  describeContainers(() => remote);

  const workload = (input: Omit<WorkloadInput, 'image'>): ReturnType<typeof makeWorkload> =>
    makeWorkload({ ...input, image: remote.image });

  const inNamespace = (namespace: string, name: string): ReturnType<typeof makeWorkload> => {
    const made = workload({ name, spec: { containers: [forever] } });
    const pod = { ...made.pod, metadata: { ...made.pod.metadata, namespace } };
    return { ...made, ref: { ...made.ref, namespace }, pod };
  };

  const there = async (): Promise<Pod> => (await remote.pods())[0] ?? {};

  describe('that somebody looks at there', () => {
    const login = { data: { password: Buffer.from('sesame').toString('base64') } };
    let backend: KubernetesBackend;
    let driver: Driver;

    beforeEach(async () => {
      backend = remote.open();
      await backend.prepare(new AbortController().signal);
      driver = new Driver(backend);
    });

    afterEach(async () => {
      await driver.finish();
      await eventually('nothing is left', async () => (await remote.residue()).length === 0);
      await backend.close();
    });

    const become = (to: Workload, more: Partial<InstanceChange> = {}): ReturnType<KubernetesBackend['update']> =>
      backend.update(to.ref, { volumes: new Map(), objects: to.objects, workload: to, ...more }, driver.signal);

    /** A container that reads the Secret `login`. */
    const reader = (name: string): ReturnType<typeof makeWorkload> => {
      const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } }];
      const secretsOfCluster = { login, unused: login };
      return workload({ name, spec: { containers: [{ ...forever, env }] }, secrets: secretsOfCluster });
    };

    test('have a name that tells where they come from, and know their own', async () => {
      const env = [
        { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        { name: 'SERVER', value: '[$(KUBERNETES_SERVICE_HOST)]' },
      ];
      const container = script('echo $(hostname) $POD $NODE $SERVER; ls /var/run/secrets 2>/dev/null', { env });
      const pod = await driver.run(
        workload({ name: 'web', spec: { restartPolicy: 'Never', containers: [container] } }),
      );
      await driver.reaches(pod, 'ended');
      expect((await remote.pods()).map(nameOf)).toEqual([expect.stringMatching(/^default-web-[0-9a-f]{10}$/)]);
      expect(await driver.logs(pod)).toBe('web web virtual []\n');
    });

    test('mount claims that are there, as the configuration says which, and leave them there', async () => {
      const metadata = { name: 'their-data', namespace: remote.namespace };
      const spec = { accessModes: ['ReadWriteMany'], storageClassName: '' };
      const hostPath = { path: path.join(remote.cluster.dir, 'their-data'), type: 'DirectoryOrCreate' };
      await remote.client.resource(persistentVolumes).create({
        metadata: { name: metadata.name },
        spec: { ...spec, capacity: { storage: '1Gi' }, hostPath, claimRef: metadata },
      });
      const asked = { ...spec, resources: { requests: { storage: '1Gi' } } };
      await remote.client.resource(persistentVolumeClaims).create({ metadata, spec: asked });
      const volumeMounts = [{ name: 'data', mountPath: '/data', subPath: 'part' }];
      const mounting = (name: string, text: string): ReturnType<typeof makeWorkload> =>
        workload({
          name,
          spec: {
            restartPolicy: 'Never',
            containers: [script(text, { volumeMounts })],
            volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
          },
          claims: { data: {} },
        });
      const writer = await driver.run(mounting('writer', 'echo hello > /data/note'));
      await driver.reaches(writer, 'ended');
      const second = await driver.run(mounting('reader', 'cat /data/note'));
      await driver.reaches(second, 'ended');
      expect(await driver.logs(second)).toBe('hello\n');
      for (const { ref } of [writer, second]) await backend.remove(ref, driver.signal);
      await eventually('nothing is left of the pods', async () => (await remote.residue()).length === 0);
      expect(await readFile(path.join(hostPath.path, 'part/note'), 'utf8')).toBe('hello\n');
      const claim = await remote.client.resource(persistentVolumeClaims).get(metadata);
      expect(claim.status?.phase).toBe('Bound');
    });

    test.each<[string, string, Partial<PodSpec>, string, string]>([
      ['of any kind', 'web', {}, 'web', 'web'],
      ['of a StatefulSet', 'ring-1', { hostname: 'ring-1', subdomain: 'ring' }, 'ring-1', qualified('ring-1')],
      ['with dots in their names', 'v1.2', {}, 'v1.2', 'v1.2'],
      [
        'with a qualified host name',
        'a',
        { subdomain: 'ring', setHostnameAsFQDN: true },
        qualified('a'),
        qualified('a'),
      ],
      ['with a host name of their choice', 'web', { hostnameOverride: 'x.y' }, 'x.y', 'x.y'],
    ])('%s are for themselves who they are here', async (_, name, rest, hostname, full) => {
      const env = [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }];
      const ownLines = String.raw`grep -e "^$IP" -e "^10.9.9.9" /etc/hosts | tr "\t" " " | sed "s/^$IP/IP/"`;
      const hostAliases = [{ ip: '10.9.9.9', hostnames: ['db', 'db.example'] }];
      const containers = [script(`hostname; hostname -f; ${ownLines}`, { env })];
      const pod = await driver.run(
        workload({ name, spec: { ...rest, restartPolicy: 'Never', hostAliases, containers } }),
      );
      const { initContainerStatuses } = await driver.reaches(pod, 'ended');
      const own = new Set(rest.subdomain === undefined ? [full] : [full, name]);
      expect(await driver.logs(pod)).toBe(`${hostname}\n${full}\nIP ${[...own].join(' ')}\n10.9.9.9 db db.example\n`);
      expect(initContainerStatuses).toEqual([]);
      expect(driver.noticesOf(pod).filter(({ reason }) => reason.startsWith('HostName'))).toEqual([]);
    });

    test('of a StatefulSet, whose image is not there, say so of their first container', async () => {
      const containers = [script('true', { image: 'nowhere.invalid/image' })];
      const pod = await driver.run(workload({ name: 'ring-1', spec: { subdomain: 'ring', containers } }));
      await driver.container(pod, 'main', ({ state }) =>
        /^(ErrImagePull|ImagePullBackOff)$/.test(state?.waiting?.reason ?? ''),
      );
    });

    test('share copies of Secrets, which go with the last of them; one that no pod uses is never there', async () => {
      const [first, second] = [await driver.run(reader('first')), await driver.run(reader('second'))];
      await driver.reaches(second, 'running');
      expect(await remote.secrets()).toMatchObject([{ type: 'Opaque', data: login.data }]);
      const [copy] = await remote.secrets();
      await backend.remove(first.ref, driver.signal);
      // A pass over the copies while a pod still uses them.
      await backend.remove(
        (await driver.run(workload({ name: 'other', spec: { containers: [forever] } }))).ref,
        driver.signal,
      );
      expect((await remote.secrets()).map(uidOf)).toEqual([uidOf(copy ?? {})]);
      await backend.remove(second.ref, driver.signal);
      await eventually('the copy is removed', async () => (await remote.secrets()).length === 0);
    });

    test('pull with the login that the pull Secret has now', async () => {
      const spec = { containers: [forever], imagePullSecrets: [{ name: 'registry' }] };
      const pod = await driver.run(workload({ name: 'web', spec, secrets: { registry: registryLogin('old', '1') } }));
      const changed = registryLogin('new', '2');
      const objects = { configMaps: new Map(), secrets: new Map([['registry', changed]]) };
      await backend.update(pod.ref, { volumes: new Map(), objects, pullSecrets: ['registry'] }, driver.signal);
      expect(await remote.secrets()).toMatchObject([{ type: changed.type, data: changed.data }]);
    });

    test('of somebody else are never listed, touched or taken for ours', async () => {
      const { namespace } = remote;
      const resource = remote.client.resource(pods);
      const containers = [{ name: 'main', image: remote.image, command: ['sleep', '3600'] }];
      const web = workload({ name: 'web', spec: { containers: [forever] } });
      const metadata = { namespace, name: podName(web.ref), labels: { 'app.kubernetes.io/managed-by': 'Helm' } };
      const theirs = await resource.create({ metadata, spec: { containers } });
      await expect(driver.run(web)).rejects.toMatchObject({
        kind: 'conflict',
        message: expect.stringContaining('belongs to somebody else (Helm)'),
      });

      const other = remote.open({ clusterId: 'another', nodeName: 'virtual' });
      await other.prepare(driver.signal);
      const foreign = workload({ name: 'api', spec: { containers: [forever] } });
      await other.create(foreign, driver.signal);
      await expect(driver.run(foreign)).rejects.toMatchObject({
        message: expect.stringContaining('virtual node virtual of cluster another'),
      });
      await backend.remove(foreign.ref, driver.signal);
      expect(await driver.find(foreign.ref)).toBeUndefined();
      expect((await other.list(driver.signal)).instances.map(({ ref }) => ref)).toEqual([foreign.ref]);
      await other.remove(foreign.ref, driver.signal);
      await other.close();

      const { deletionTimestamp, uid } = (await resource.get(metadata)).metadata ?? {};
      expect({ deletionTimestamp, uid }).toEqual({ deletionTimestamp: undefined, uid: uidOf(theirs) });
      await resource.delete(metadata, { gracePeriodSeconds: 0 });
    });

    test('whose names run together are two pods', async () => {
      const [one, other] = [await driver.run(inNamespace('a-b', 'c')), await driver.run(inNamespace('a', 'b-c'))];
      await driver.reaches(other, 'running');
      await driver.run(other);
      expect((await remote.pods()).map(nameOf).toSorted()).toEqual(
        [one, other].map(({ ref }) => podName(ref)).toSorted(),
      );
      await driver.reaches(one, 'running');
    });

    test('of which there are two are one again, and it is the one that runs', async () => {
      const pod = workload({ name: 'web', spec: { containers: [forever] } });
      await driver.reaches(await driver.run(pod), 'running');
      const { metadata, spec } = await there();
      const { labels = {}, annotations = {}, finalizers = [] } = metadata ?? {};
      const { nodeName: _, ...unplaced } = spec ?? { containers: [] };
      // As an earlier version would have called it.
      const second = { namespace: remote.namespace, name: 'default-web', labels, annotations, finalizers };
      await remote.client
        .resource(pods)
        .create({ metadata: second, spec: { ...unplaced, nodeSelector: { no: 'node' } } });
      await eventually('the second one is ended', async () => {
        await backend.list(driver.signal);
        return (await remote.pods()).length === 1;
      });
      expect(nameOf(await there())).toBe(podName(pod.ref));
      // It is told when the last call of its end was answered.
      await eventually('the double to be told', () => driver.events.some(({ type }) => type === 'double'));
      expect(driver.events.filter(({ type }) => type === 'double')).toHaveLength(1);
      expect(await driver.find(pod.ref)).toMatchObject({ state: 'running' });
    });

    test('that were deleted there keep their status until it was read', async () => {
      const pod = await driver.run(
        workload({ name: 'web', spec: { containers: [script('trap "exit 3" TERM; echo ready; sleep 3600 & wait')] } }),
      );
      await driver.reaches(pod, 'running');
      await eventually('the trap', async () => (await driver.logs(pod)) === 'ready\n');
      await remote.client.resource(pods).delete({ namespace: remote.namespace, name: podName(pod.ref) });
      const { containerStatuses } = await driver.reaches(pod, 'ended');
      expect(containerStatuses).toMatchObject([{ state: { terminated: { exitCode: 3 } } }]);
    });

    test('get tokens in a Secret of their own, and new ones in time', async () => {
      const sources = [
        { serviceAccountToken: { path: 'token' } },
        { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      ];
      const volumes = [{ name: 'all', projected: { sources } }];
      const container = { ...forever, volumeMounts: [{ name: 'all', mountPath: '/all' }] };
      const pod = await driver.run(workload({ name: 'web', spec: { containers: [container], volumes } }));
      await driver.reaches(pod, 'running');
      const read = async (): Promise<string> =>
        String((await driver.exec(pod, ['cat', '/all/token', '/all/name'])).stdout);
      expect(await read()).toBe('token for the API serverweb');
      const token = { path: 'token', mode: 0o600, content: Buffer.from('another ') };
      const change = { volumes: new Map([['all', [token]]]), objects: pod.objects };
      await backend.update?.(pod.ref, change, driver.signal);
      await eventually('the new token', async () => (await read()) === 'another web');
    });

    describe('and whose author edits them', () => {
      test('have its labels and annotations, with the files that show them, and keep those of others', async () => {
        const item = { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } };
        const volumes = [{ name: 'told', downwardAPI: { items: [item] } }];
        const container = { ...forever, volumeMounts: [{ name: 'told', mountPath: '/told' }] };
        const pod = await driver.run(workload({ name: 'web', spec: { containers: [container], volumes } }));
        await driver.reaches(pod, 'running');
        const theirs = { metadata: { labels: { theirs: '1' }, annotations: { theirs: '1' } } };
        await remote.client.resource(pods).patch(refOf(await there()), { type: 'merge', body: theirs });
        const metadata = { ...pod.pod.metadata, labels: { tier: 'back' }, annotations: { note: 'a' } };
        const file = { path: 'labels', mode: 0o644, content: Buffer.from('tier="back"') };
        const files = new Map([['told', { kind: 'files', files: [file] } as const]]);
        const edited = { ...edit(pod, { metadata }, 'second'), volumes: files };
        expect(await become(edited, { volumes: new Map([['told', [file]]]) })).toEqual([]);
        const { labels, annotations } = (await there()).metadata ?? {};
        expect(labels).toMatchObject({ tier: 'back', theirs: '1', 'spillway.dev/node': 'virtual' });
        expect(labels).not.toHaveProperty('app');
        expect(annotations).toMatchObject({ note: 'a', theirs: '1', 'spillway.dev/name': 'web' });
        expect((await driver.find(pod.ref))?.revision).toBe('second');
        const read = async (): Promise<string> => String((await driver.exec(pod, ['cat', '/told/labels'])).stdout);
        await eventually('the file', async () => (await read()) === 'tier="back"');
      });

      test('run its new image, and have the resources that it wants now', async () => {
        const spec = (image: string, cpu: string): PodSpec => ({ ...pod.pod.spec, containers: [sleeping(image, cpu)] });
        const pod: Workload = workload({ name: 'web', spec: { containers: [sleeping(remote.image, '50m')] } });
        await driver.run(pod);
        await driver.reaches(pod, 'running');
        expect(await become(edit(pod, { spec: spec(remote.image, '100m') }, 'larger'))).toEqual([]);
        const sized = await driver.container(pod, 'main', (each) => each.resources?.requests?.['cpu'] === '100m');
        expect(sized).toMatchObject({ restartCount: 0, allocatedResources: { cpu: '100m' } });
        expect(await become(edit(pod, { spec: spec('nowhere.invalid/busybox:1', '100m') }, 'other'))).toEqual([]);
        await driver.container(pod, 'main', ({ state }) => /ImagePull/.test(state?.waiting?.reason ?? ''));
        expect(await become(edit(pod, { spec: spec(remote.image, '100m') }, 'larger'))).toEqual([]);
        const again = await driver.container(pod, 'main', ({ state }) => state?.running !== undefined);
        expect(again.restartCount).toBe(1);
      });

      test('lose what is gone where it came from, and get it when it is back', async () => {
        const volumes = [{ name: 'maybe', secret: { secretName: 'login', optional: true } }];
        const container = { ...forever, volumeMounts: [{ name: 'maybe', mountPath: '/maybe' }] };
        const pod = workload({ name: 'web', spec: { containers: [container], volumes }, secrets: { login } });
        await driver.run(pod);
        await driver.reaches(pod, 'running');
        const read = async (): Promise<string> => String((await driver.exec(pod, ['ls', '/maybe'])).stdout);
        expect(await read()).toBe('password\n');
        const none = { configMaps: new Map(), secrets: new Map() };
        const nothing = { volumes: new Map([['maybe', []]]), objects: none };
        await backend.update(pod.ref, { ...nothing, absent: { configMaps: [], secrets: ['login'] } }, driver.signal);
        expect(await remote.secrets()).toEqual([]);
        await eventually('the file to go', async () => (await read()) === '');
        const file = { path: 'password', mode: 0o644, content: Buffer.from('sesame') };
        await backend.update(pod.ref, { volumes: new Map([['maybe', [file]]]), objects: pod.objects }, driver.signal);
        await eventually('the file to be back', async () => (await read()) === 'password\n');
      });
    });

    test('find a copy that somebody else has made: it is not overwritten', async () => {
      const pod = reader('first');
      await driver.run(pod);
      const [copy] = await remote.secrets();
      await backend.remove(pod.ref, driver.signal);
      await eventually('the copy is removed', async () => (await remote.secrets()).length === 0);
      const { namespace } = remote;
      const name = nameOf(copy ?? {});
      const resource = remote.client.resource(secrets);
      await resource.create({ metadata: { namespace, name }, stringData: { password: 'theirs' } });
      await expect(driver.run(reader('second'))).rejects.toMatchObject({ kind: 'conflict' });
      expect((await resource.get({ namespace, name })).data).toEqual({
        password: Buffer.from('theirs').toString('base64'),
      });
      await resource.delete({ namespace, name });
    });
  });

  describe('of a virtual node that falls silent', () => {
    const namespace = 'silence';
    const terms = { afterMs: 4000, everyMs: 1000 };
    const elsewhere = { clusterId: 'elsewhere', nodeName: 'virtual' };
    const patient = new AbortController().signal;
    let backend: KubernetesBackend;
    let others: KubernetesBackend;
    /** With the rights of the job. */
    let account: KubeClient;

    const jobs = async (): Promise<readonly KubeObject[]> => {
      const types: readonly ResourceType<KubeObject>[] = [cronJobs, roles, roleBindings, serviceAccounts, configMaps];
      const labelSelector = 'spillway.dev/dead-man';
      const lists = types.map((type) => remote.client.resource(type).list({ namespace, labelSelector }));
      return (await Promise.all(lists)).flatMap(({ items }) => items);
    };
    const podsThere = async (): Promise<string[]> =>
      (await remote.client.resource(pods).list({ namespace })).items.map(nameOf).toSorted();
    const look = async (dryRun = false): Promise<SilenceReport | undefined> => {
      const silence = silenceThere(account, remote.owner, namespace);
      const options = { dryRun, graceSeconds: 2, timeoutMs: 60_000, tell: () => {}, clock: systemClock };
      const [report] = await endSilent([{ node: 'virtual', silence }], options, patient);
      return report;
    };

    beforeAll(async () => {
      backend = remote.open(remote.owner, { namespace, deadManImage: 'registry.example/spillway:1' });
      others = remote.open(elsewhere, { namespace });
      for (const each of [backend, others]) await each.prepare(patient);
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      const spec = {
        containers: [forever],
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      };
      const harmless = {
        ...forever,
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      };
      await remote.client
        .resource(namespaces)
        .patch({ name: namespace }, { type: 'merge', body: { metadata: { labels } } });
      for (const each of [backend, others]) {
        const driver = new Driver(each);
        await driver.reaches(
          await driver.run(workload({ name: 'web', spec: { ...spec, containers: [harmless] } })),
          'running',
        );
        await driver.detach();
      }
    });

    afterAll(async () => {
      await account?.close();
      await backend?.close();
      await others?.close();
    });

    test('there is a job that Pod Security “restricted” lets in, with an account that may do no more than end pods', async () => {
      await backend.renewHeartbeat(terms, patient);
      await backend.renewHeartbeat(terms, patient);
      expect((await jobs()).map(({ kind }) => kind)).toEqual([
        'CronJob',
        'Role',
        'RoleBinding',
        'ServiceAccount',
        'ConfigMap',
      ]);
      const [job] = (await remote.client.resource(cronJobs).list({ namespace })).items;
      const name = nameOf(job ?? {});
      const template = job?.spec?.jobTemplate.spec?.template;
      expect(template?.spec?.containers[0]).toMatchObject({
        image: 'registry.example/spillway:1',
        args: ['dead-man', '--in-namespace', namespace, '--cluster-id', remote.owner.clusterId, '--node', 'virtual'],
      });
      const trial = { metadata: { namespace, name: 'trial' }, spec: template?.spec ?? { containers: [] } };
      await remote.client.resource(pods).create(trial, { dryRun: true });

      const request: TokenRequest = { spec: { audiences: [], expirationSeconds: 600 } };
      const { status } = await remote.client
        .resource(serviceAccounts)
        .create<TokenRequest>(request, { namespace, name, subresource: 'token' });
      const { server, ca } = remote.client.config;
      const credentials = staticCredentials({ token: status?.token ?? '' });
      const config = {
        server,
        ...(ca !== undefined && { ca }),
        insecureSkipTlsVerify: false,
        namespace,
        credentials,
        source: 'test',
      };
      account = new KubeClient({ config });
      for (const forbidden of [
        account.resource(secrets).list({ namespace }),
        account.resource(configMaps).list({ namespace }),
        account.resource(pods).list({ namespace: 'default' }),
        account.resource(pods).create(trial),
      ]) {
        await expect(forbidden).rejects.toMatchObject({ status: 403 });
      }
    });

    test('which ends its pods after the time that it has set itself, not before, and no others', async () => {
      const before = await podsThere();
      expect(before).toHaveLength(2);
      await backend.renewHeartbeat(terms, patient);
      expect(await look()).toMatchObject({ state: 'alive', ended: [] });
      expect(await podsThere()).toEqual(before);
      await eventually('the heartbeat is overdue', async () => (await look(true))?.state === 'silent');
      expect(await look()).toMatchObject({ state: 'silent', ended: ['default/web'], remains: [] });
      expect(await podsThere()).toHaveLength(1);
      expect((await others.list(patient)).instances.map(({ state }) => state)).toEqual(['running']);
      expect(await backend.renewHeartbeat(terms, patient)).toMatchObject({ instances: 1 });
    });

    test('nothing of it is left when it is switched off, or when Spillway is removed', async () => {
      await backend.endHeartbeat(patient);
      await eventually('nothing is left', async () => (await jobs()).length === 0);
      await backend.renewHeartbeat(terms, patient);
      expect(await jobs()).toHaveLength(5);
      const removed = await backend.dismantle(patient);
      expect(removed.removed.map(({ kind }) => kind)).toEqual([
        'ConfigMap',
        'CronJob',
        'RoleBinding',
        'Role',
        'ServiceAccount',
      ]);
      await eventually('nothing is left', async () => (await jobs()).length === 0);
    });

    test('nor when the job is not wanted any more, while the heartbeat goes on', async () => {
      await backend.renewHeartbeat(terms, patient);
      const without = remote.open(remote.owner, { namespace });
      await without.renewHeartbeat(terms, patient);
      await eventually(
        'only the heartbeat is left',
        async () => (await jobs()).map(({ kind }) => kind).join() === 'ConfigMap',
      );
      await without.endHeartbeat(patient);
      await without.close();
      expect(await jobs()).toEqual([]);
      const [left] = (await others.list(patient)).instances;
      if (left) await others.remove(left.ref, patient);
    });
  });
});
