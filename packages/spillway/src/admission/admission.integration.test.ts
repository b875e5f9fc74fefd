import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server } from 'node:net';
import path from 'node:path';
import { connect } from 'node:tls';
import { abilitiesOf, type Cluster, currentEnvironment, knownKubernetesVersion } from '@spillway/devcluster';
import {
  cronJobs,
  deployments,
  jobs,
  KubeClient,
  loadKubeconfig,
  mutatingWebhookConfigurations,
  namespaces,
  type Pod,
  pods,
  replicaSets,
  secrets,
  serviceAccounts,
  statefulSets,
} from '@spillway/kube';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import {
  burstLabels,
  burstTaint,
  type BurstValue,
  burstValues,
  managedByProfileAnnotation,
  preferLocalAnnotation,
  preferTaint,
} from '../podspec/contract.ts';
import { outboundAddress } from '../serve/outbound-address.ts';
import { parseJson } from '../placement/rules/admitted.ts';
import { eventuallyHolds } from '../../testkit/eventually.ts';
import { rbacArguments } from '../../testkit/rbac-arguments.ts';
import { issue, makeAuthority } from '../authorities/authority.ts';
import { sharedAuthorities } from '../authorities/shared-authorities.ts';
import { secretName } from './authority-secret.ts';
import { configurationNames } from './configurations.ts';
import { type Authority, defaultLives } from '../authorities/rotation.ts';
import { deployment, pod, podSpec, refusal } from './testing/objects.ts';
import { oldWorkloads, oldWorkloadsWorkAsBefore } from './testing/old-workloads.ts';

const [label] = burstLabels;
const main = ['--conditions=spillway-source', path.join(import.meta.dirname, '../cli/main.ts')];
const port = 10_443;
const kubernetesVersion = knownKubernetesVersion(currentEnvironment().kubernetesVersion);
const { mutatingPolicies } = abilitiesOf(kubernetesVersion);
let cluster: Cluster;
let admin: KubeClient;
let configFile: string;
let server: ChildProcess | undefined;

beforeAll(async () => {
  cluster = await borrowCluster();
  expect(JSON.parse((await cluster.kubectl(['version', '-o', 'json'])).stdout)).toMatchObject({
    clientVersion: { gitVersion: `v${kubernetesVersion}` },
    serverVersion: { gitVersion: `v${kubernetesVersion}` },
  });
  admin = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  const dir = path.join(cluster.dir, 'admission-test');
  await mkdir(dir);
  configFile = path.join(dir, 'config.yaml');
  await configure({});
  await applied(await printed(rbacArguments(cluster, configFile)));
  await applied(await manifests('crds'));
  await configure({
    kubeconfig: await cluster.kubeconfigFor({ serviceAccount: { namespace: 'spillway-system', name: 'spillway' } }),
  });
});

afterAll(async () => {
  await stop();
  await admin?.close();
  await cluster?.close();
});

const configure = (kubernetes: object): Promise<void> =>
  writeFile(
    configFile,
    stringify({
      kubernetes,
      pools: [{ name: 'rehearsal', nodeName: 'vk', address: cluster.nodeAddress, backend: { type: 'simulated' } }],
      admission: { enabled: true, port, url: `https://${cluster.nodeAddress}:${port}` },
    }),
  );

const manifests = (...args: readonly string[]): Promise<string> => printed(['manifests', ...args]);

async function printed(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [...main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code]: unknown[] = await once(child, 'close');
  expect(code).toBe(0);
  return text;
}

async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl([...args], input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout + stderr;
}
const applied = (text: string): Promise<string> => kubectl(['apply', '-f', '-'], text);

async function start(): Promise<void> {
  const log = await open(path.join(path.dirname(configFile), 'serve.log'), 'a');
  server = cluster.spawn(process.execPath, [...main, 'serve', '--config', configFile], {
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
}

async function stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const child = server;
  server = undefined;
  if (!child || child.exitCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function namespace(name: string): Promise<string> {
  await admin.resource(namespaces).create({ metadata: { name } });
  await eventuallyHolds(() => admin.resource(serviceAccounts).get({ namespace: name, name: 'default' }));
  return name;
}

const tried = (name: string, labels: Record<string, string>): Promise<Pod> =>
  admin.resource(pods).create(pod('default', name, labels), { dryRun: true });

const noExecute = (what: string): object => ({
  key: `node.kubernetes.io/${what}`,
  operator: 'Exists',
  effect: 'NoExecute',
});
/** What Kubernetes itself adds to every pod. */
const usual = ['not-ready', 'unreachable'].map((what) => ({ ...noExecute(what), tolerationSeconds: 300 }));
const toleratesBurst = { key: burstTaint.key, operator: 'Equal', value: 'cci', effect: 'NoSchedule' };
const avoidsVirtualNodes = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'type', operator: 'NotIn', values: ['virtual-kubelet'] }] }],
    },
  },
};
const untouched = { schedulerName: 'default-scheduler', tolerations: usual };

interface Written extends Pick<NonNullable<Pod['spec']>, 'schedulerName' | 'nodeSelector' | 'affinity'> {
  readonly annotations?: Record<string, string>;
  readonly tolerations: readonly object[];
}

const letIn: Written = { ...untouched, tolerations: [...usual, toleratesBurst] };
const written: [BurstValue, Written][] = [
  ['localPrefer', { ...untouched, annotations: { [preferLocalAnnotation]: 'true' } }],
  [
    'enforce',
    {
      schedulerName: 'spillway',
      nodeSelector: { type: 'virtual-kubelet' },
      tolerations: [
        toleratesBurst,
        { key: preferTaint.key, operator: 'Exists', effect: 'PreferNoSchedule' },
        noExecute('not-ready'),
        noExecute('unreachable'),
      ],
    },
  ],
  ['off', { ...untouched, affinity: avoidsVirtualNodes }],
];

/**
 * What both carriers do.
 * @param prefix of the names of namespaces
 * @param auto what pods with `auto` get: whether pools run them is asked by webhook
 */
function theRulesHold(prefix: string, auto: Written): void {
  it.each([...written, ['auto', auto] as const])(
    'a pod with %s gets what that value stands for',
    async (value, expected) => {
      const { metadata, spec } = await tried('p', { [label]: value });
      const { tolerations = [], schedulerName, nodeSelector, affinity } = spec ?? {};
      expect({ annotations: metadata?.annotations, schedulerName, nodeSelector, affinity }).toEqual({
        annotations: expected.annotations,
        schedulerName: expected.schedulerName,
        nodeSelector: expected.nodeSelector,
        affinity: expected.affinity,
      });
      expect(tolerations).toHaveLength(expected.tolerations.length);
      expect(tolerations).toEqual(expect.arrayContaining([...expected.tolerations]));
    },
  );

  it.each(burstValues)('the label with %s goes from a new workload into its pod template', async (value) => {
    const options = { dryRun: true };
    const metadata = { namespace: 'default', name: 'w', labels: { [label]: value } };
    const selector = { matchLabels: { app: 'w' } };
    const template = { metadata: { labels: { app: 'w' } }, spec: podSpec };
    const oneRun = { template: { spec: { ...podSpec, restartPolicy: 'Never' } } };
    const { spec: deployed } = await admin
      .resource(deployments)
      .create(deployment('default', 'w', { [label]: value }), options);
    const { spec: stateful } = await admin
      .resource(statefulSets)
      .create({ metadata, spec: { serviceName: 'w', selector, template } }, options);
    const { spec: job } = await admin.resource(jobs).create({ metadata, spec: oneRun }, options);
    const { spec: cron } = await admin
      .resource(cronJobs)
      .create({ metadata, spec: { schedule: '@daily', jobTemplate: { spec: oneRun } } }, options);
    const templates = [deployed?.template, stateful?.template, job?.template, cron?.jobTemplate.spec?.template];
    for (const made of templates) expect(made?.metadata?.labels).toMatchObject({ [label]: value });
  });

  it('a changed label goes into the template, and a removed one out of it', async () => {
    const name = await namespace(`${prefix}-relabel`);
    const web = { namespace: name, name: 'web' };
    await admin.resource(deployments).create(deployment(name, 'web', {}));
    const templateLabels = async (): Promise<unknown> =>
      (await admin.resource(deployments).get(web)).spec?.template.metadata?.labels;
    await kubectl(['label', '-n', name, 'deployment/web', `${label}=localPrefer`]);
    expect(await templateLabels()).toEqual({ app: 'web', [label]: 'localPrefer' });
    await kubectl(['label', '-n', name, '--overwrite', 'deployment/web', `${label}=off`]);
    expect(await templateLabels()).toEqual({ app: 'web', [label]: 'off' });
    await kubectl(['label', '-n', name, 'deployment/web', `${label}-`]);
    expect(await templateLabels()).toEqual({ app: 'web' });
  });

  it('pods that tolerate everything are kept away in kube-system as well', async () => {
    const stray = { ...pod('kube-system', 'stray', {}), spec: { ...podSpec, tolerations: [{ operator: 'Exists' }] } };
    const { spec } = await admin.resource(pods).create(stray, { dryRun: true });
    expect(spec?.affinity).toEqual(avoidsVirtualNodes);
  });

  it('workloads from before work as before', () => oldWorkloadsWorkAsBefore({ admin, kubectl }, `old-${prefix}`));
}

function onlyPolicies(): void {
  beforeAll(async () => {
    await oldWorkloads({ admin, kubectl }, 'old-policy');
    const text = await manifests('admission', '--config', configFile, '--carrier', 'auto');
    expect(text).toContain('kind: MutatingAdmissionPolicy\n');
    expect(text.match(/\.spillway\.dev$/gm)).toHaveLength(3);
    await applied(text);
    await eventuallyHolds(async () =>
      expect((await tried('p', { [label]: 'enforce' })).spec?.schedulerName).toBe('spillway'),
    );
    await eventuallyHolds(async () => expect(await refusal(tried('p', { [label]: 'Auto' }))).toContain('"Auto"'));
    await eventuallyHolds(async () => {
      const created = await admin
        .resource(deployments)
        .create(deployment('default', 'd', { [label]: 'auto' }), { dryRun: true });
      expect(created.spec?.template.metadata?.labels).toEqual({ app: 'd', [label]: 'auto' });
    });
  });

  it('pods of an enforce Deployment are created and wait for a virtual node', async () => {
    const name = await namespace('policy-enforce');
    await admin.resource(deployments).create(deployment(name, 'burst', { [label]: 'enforce' }));
    await eventuallyHolds(async () => {
      const { items } = await admin.resource(pods).list({ namespace: name });
      expect(items).toMatchObject([
        {
          spec: { schedulerName: 'spillway', nodeSelector: { type: 'virtual-kubelet' } },
          status: { phase: 'Pending' },
        },
      ]);
    });
  });

  theRulesHold('policy', untouched);

  it('a pod with auto is let in by the webhook, when it answers and a pool runs the pod', async () => {
    await start();
    await eventuallyHolds(async () =>
      expect((await tried('p', { [label]: 'auto' })).spec?.tolerations).toContainEqual(toleratesBurst),
    );
    const gpu = pod('default', 'p', { [label]: 'auto' });
    const resources = { limits: { 'example.com/gpu': '1' } };
    const asking = {
      ...gpu,
      spec: { ...podSpec, containers: podSpec.containers.map((one) => ({ ...one, resources })) },
    };
    const { spec } = await admin.resource(pods).create(asking, { dryRun: true });
    expect(spec).toMatchObject({ tolerations: usual });
    const itself = { ...asking, spec: { ...asking.spec, tolerations: [toleratesBurst] } };
    const { affinity } = (await admin.resource(pods).create(itself, { dryRun: true })).spec ?? {};
    expect(affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'NotIn', values: ['vk'] }] },
    ]);
    await stop();
  });

  afterAll(async () => {
    const text = await manifests('admission', '--config', configFile, '--carrier', 'policy');
    await kubectl(['delete', '-f', '-'], text);
    // The API server goes on with policies for a moment after they are gone.
    await eventuallyHolds(async () =>
      expect((await tried('p', { [label]: 'enforce' })).spec?.schedulerName).toBe('default-scheduler'),
    );
    await eventuallyHolds(async () => tried('p', { [label]: 'Auto' }));
  });
}

if (mutatingPolicies) describe('with admission policies, and nothing of ours running', onlyPolicies);

/** How often the API server has tried to call the webhooks. */
async function calls(): Promise<number> {
  const text = await kubectl(['get', '--raw', '/metrics']);
  return [
    ...text.matchAll(
      /^apiserver_admission_webhook_admission_duration_seconds_count\{name="[^"]*\.spillway\.dev".*\} (\d+)$/gm,
    ),
  ]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0);
}

const { mutating } = configurationNames('spillway');

const answering = (): Promise<void> =>
  eventuallyHolds(async () => expect((await tried('p', { [label]: 'enforce' })).spec?.schedulerName).toBe('spillway'));

/** Something else in the place of Spillway, with a certificate of an authority that the API server trusts. */
async function standIn({ lifeMs }: { lifeMs: number }): Promise<AsyncDisposable> {
  const now = Date.now();
  const address = await outboundAddress(admin.config.server, new AbortController().signal);
  const authority = await makeAuthority({ from: now, to: now + 3_600_000 });
  const certificate = await issue(authority, [address], { from: now, to: now + lifeMs });
  const fake = createHttpsServer(certificate, (_request, response) => response.end('<html>no review</html>'));
  return redirected(fake, authority.cert);
}

async function redirected(fake: Server, trust: string | undefined): Promise<AsyncDisposable> {
  // Spillway would set its own authority again.
  await stop();
  const address = await outboundAddress(admin.config.server, new AbortController().signal);
  fake.listen(0, address);
  await once(fake, 'listening');
  const bound = fake.address();
  const url = `https://${address}:${typeof bound === 'object' ? bound?.port : ''}/mutate`;
  const configuration = admin.resource(mutatingWebhookConfigurations);
  const original = await configuration.get({ name: mutating });
  const point = (to: string, caBundle: string | undefined): Promise<unknown> =>
    configuration.patch(
      { name: mutating },
      {
        type: 'strategic',
        body: {
          webhooks: original.webhooks?.map(({ name }) => ({
            name,
            clientConfig: { url: to, ...(caBundle === undefined ? {} : { caBundle }) },
          })),
        },
      },
    );
  await point(url, trust === undefined ? undefined : Buffer.from(trust).toString('base64'));
  return {
    [Symbol.asyncDispose]: async () => {
      fake.close();
      const [first] = original.webhooks ?? [];
      await point(first?.clientConfig.url ?? '', first?.clientConfig.caBundle);
      await start();
    },
  };
}

/** Who signed the certificate that the server shows. */
const shown = async (): Promise<string> => {
  const socket = connect({ host: cluster.nodeAddress, port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { issuer } = socket.getPeerCertificate();
  socket.destroy();
  return String(issuer.CN);
};
const nameOf = ({ cert }: Authority): string => new X509Certificate(cert).subject.replace('CN=', '');

describe('with webhooks, and no policies', () => {
  beforeAll(async () => {
    await oldWorkloads({ admin, kubectl }, 'old-webhook');
    // Without policies in the cluster webhooks are the choice.
    const carrier = mutatingPolicies ? 'webhook' : 'auto';
    await applied(await manifests('admission', '--config', configFile, '--carrier', carrier));
    await start();
    await answering();
  });

  it('refuses unknown values, in any script, with those that there are', async () => {
    const unknown = await refusal(tried('p', { [label]: 'Auto' }));
    expect(unknown).toMatch(/"Auto" is not a valid value of the burst label .* auto, localPrefer, enforce, off/);
    const withTemplate = deployment('default', 'd', {});
    withTemplate.spec = {
      ...withTemplate.spec,
      template: { metadata: { labels: { app: 'd', [label]: 'yes' } }, spec: podSpec },
    };
    expect(await refusal(admin.resource(deployments).create(withTemplate, { dryRun: true }))).toContain('"yes"');
    // Kubernetes itself takes only ASCII in labels, after us.
    expect(await refusal(tried('p', { [label]: '自动' }))).toContain('自动');
  });

  theRulesHold('webhook', letIn);

  it('profiles decide for pods of their namespaces, and others are not asked about', async () => {
    const name = await namespace('profiled');
    const profile = {
      apiVersion: 'scheduling.cci.io/v2',
      kind: 'ScheduleProfile',
      metadata: { namespace: name, name: 'web' },
      spec: { objectLabels: { matchLabels: { app: 'web' } }, strategy: 'enforce', location: { cci: { maxNum: 2 } } },
    };
    await applied(JSON.stringify(profile));
    await eventuallyHolds(async () => {
      const managed = await admin.resource(pods).create(pod(name, 'web', { app: 'web' }), { dryRun: true });
      expect(managed).toMatchObject({
        metadata: { labels: { [label]: 'enforce' }, annotations: { [managedByProfileAnnotation]: 'web' } },
        spec: { schedulerName: 'spillway', schedulingGates: [{ name: 'spillway.dev/schedule-profile' }] },
      });
    });
    // Again when somebody else's call ends meanwhile.
    await eventuallyHolds(async () => {
      const before = await calls();
      await tried('web', { app: 'web' });
      expect(await calls()).toBe(before);
    });
  });

  it('says at once when a changed label will restart pods', async () => {
    await admin.resource(deployments).create(deployment('default', 'warned', {}));
    const said = await kubectl(['label', 'deployment/warned', `${label}=auto`]);
    expect(said).toContain('Warning: the changed burst label goes into the pod template: this restarts 1 pod');
    await admin.resource(deployments).delete({ namespace: 'default', name: 'warned' });
  });

  const faults: Readonly<Record<string, () => Promise<AsyncDisposable>>> = {
    'is stopped': async () => {
      await stop();
      return { [Symbol.asyncDispose]: start };
    },
    'accepts connections and never answers': async () => {
      server?.kill('SIGSTOP');
      return { [Symbol.asyncDispose]: async () => void server?.kill('SIGCONT') };
    },
    'answers garbage': () => standIn({ lifeMs: 3_600_000 }),
    'shows an expired certificate': () => standIn({ lifeMs: -1000 }),
    'closes every connection': async () => {
      const refuser = createTcpServer((socket) => socket.destroy());
      return redirected(refuser, undefined);
    },
  };

  describe.each(Object.entries(faults))('while Spillway %s', (what, cause) => {
    let fault: AsyncDisposable;
    beforeAll(async () => {
      await answering();
      fault = await cause();
      await eventuallyHolds(async () =>
        expect(await refusal(tried('p', { [label]: 'enforce' }))).toContain('enforce-pods.spillway.dev'),
      );
    });
    afterAll(async () => {
      await fault?.[Symbol.asyncDispose]();
      await answering();
    });
    afterEach(async () => kubectl(['delete', 'pod', '--all', '--grace-period=0', '--force']));

    it('pods without the label are created, and nobody is asked about them', async () => {
      let created = 0;
      // Again when a call from before ends meanwhile: it counts when it ends.
      await eventuallyHolds(async () => {
        const before = await calls();
        for (let index = 0; index < 10; index += 1) {
          created += 1;
          await admin.resource(pods).create(pod('default', `plain-${created}`, { app: what.length > 0 ? 'web' : '' }));
        }
        expect(await calls()).toBe(before);
      });
    });

    it.each(['auto', 'localPrefer', 'off'])('pods with %s are created, to run on real nodes', async (value) => {
      const created = await admin.resource(pods).create(pod('default', value.toLowerCase(), { [label]: value }));
      expect(created.spec).toMatchObject({ schedulerName: 'default-scheduler' });
      expect(created.spec?.nodeSelector).toBeUndefined();
    });

    it('pods and workloads with enforce are refused, with the webhook that is missing', async () => {
      expect(await refusal(tried('p', { [label]: 'enforce' }))).toContain(
        'failed calling webhook "enforce-pods.spillway.dev"',
      );
      expect(
        await refusal(
          admin.resource(deployments).create(deployment('default', 'd', { [label]: 'enforce' }), { dryRun: true }),
        ),
      ).toContain('failed calling webhook "enforce-workloads.spillway.dev"');
    });
  });

  it('after an outage the controllers that gave up for a while try again soon', async () => {
    const name = await namespace('outage');
    await admin.resource(deployments).create(deployment(name, 'burst', { [label]: 'enforce' }));
    await eventuallyHolds(async () =>
      expect((await admin.resource(pods).list({ namespace: name })).items).toHaveLength(1),
    );
    await stop();
    await kubectl(['scale', '-n', name, 'deployment/burst', '--replicas=3']);
    const stalled = async (): Promise<boolean> =>
      (await admin.resource(replicaSets).list({ namespace: name })).items.some(({ status }) =>
        status?.conditions?.some(({ type, reason }) => type === 'ReplicaFailure' && reason === 'FailedCreate'),
      );
    await eventuallyHolds(async () => expect(await stalled()).toBe(true));
    await start();
    await eventuallyHolds(async () =>
      expect((await admin.resource(pods).list({ namespace: name })).items).toHaveLength(3),
    );
    const [replicaSet] = (await admin.resource(replicaSets).list({ namespace: name })).items;
    expect(replicaSet?.metadata?.annotations).toHaveProperty(['spillway.dev/retried-at']);
    expect(replicaSet?.spec?.template?.metadata?.labels).toHaveProperty([label], 'enforce');
  });

  it('is called again soon after its configuration was applied anew', async () => {
    await kubectl(['delete', 'mutatingwebhookconfiguration', mutating]);
    const text = await manifests('admission', '--config', configFile, '--carrier', 'webhook');
    expect(parseAllDocuments(text).length).toBe(2);
    await applied(text);
    await answering();
  });

  it('replicas that start together share one authority', async () => {
    const name = await namespace('replicas');
    const options = { client: admin, name: 'authority', namespace: name, lives: defaultLives, now: Date.now };
    const seen = await Promise.all(
      Array.from({ length: 5 }, () => sharedAuthorities(options, AbortSignal.timeout(60_000))),
    );
    for (const authorities of seen) expect(authorities).toEqual(seen[0]);
    expect(seen[0]).toHaveLength(1);
  });

  it('changes its authority without a request that fails', async () => {
    const ref = { namespace: 'spillway-system', name: secretName('spillway') };
    const field = 'authorities.json';
    const stored = async (): Promise<readonly Authority[]> => {
      const { data } = await admin.resource(secrets).get(ref);
      return parseJson<Authority[]>(Buffer.from(data?.[field] ?? '', 'base64').toString());
    };
    /** As if they had been made at another time. */
    const age = async (...fromHoursAgo: readonly number[]): Promise<void> => {
      const authorities = (await stored()).map((authority, index) => {
        const from = Date.now() - (fromHoursAgo[index] ?? 0) * 3_600_000;
        return { ...authority, from, to: Date.now() + (index === 0 ? 600_000 : 36_000_000) };
      });
      const data = { [field]: Buffer.from(JSON.stringify(authorities)).toString('base64') };
      await admin.resource(secrets).patch(ref, { type: 'merge', body: { data } });
    };

    const watching = new AbortController();
    const failures: unknown[] = [];
    let requests = 0;
    const always = (async () => {
      while (!watching.signal.aborted) {
        await tried('p', { [label]: 'enforce' }).catch((error: unknown) => {
          // The API server waits for two seconds, in which a busy machine may have other things to do.
          if (!String(error).includes('deadline exceeded')) failures.push(error);
        });
        requests += 1;
      }
    })();

    const [first] = await stored();
    if (first === undefined) throw new Error('there is no authority');
    await age(10);
    const both = await eventuallyHolds(async () => {
      const authorities = await stored();
      expect(authorities).toHaveLength(2);
      return authorities;
    });
    await eventuallyHolds(async () => {
      const { webhooks } = await admin.resource(mutatingWebhookConfigurations).get({ name: mutating });
      const bundle = both.map(({ cert }) => cert).join('');
      for (const { clientConfig } of webhooks ?? [])
        expect(Buffer.from(clientConfig.caBundle ?? '', 'base64').toString()).toBe(bundle);
    });
    expect(await shown()).toBe(nameOf(first));
    await age(10, 2);
    await eventuallyHolds(async () => expect(await shown()).toBe(nameOf(both[1] ?? first)));
    expect(nameOf(both[1] ?? first)).not.toBe(nameOf(first));
    const soFar = requests;
    await eventuallyHolds(async () => expect(requests).toBeGreaterThan(soFar + 20));
    watching.abort();
    await always;
    expect(failures).toEqual([]);
  });
});
