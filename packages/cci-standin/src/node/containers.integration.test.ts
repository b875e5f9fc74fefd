import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agnhostImage, type Cluster, peer, peerOf, startCluster } from '@spillway/devcluster';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { footprintOf, residueOf } from '../../../devcluster/test/residue.ts';
import { startRegion, type Region } from '../region.ts';
import { Tenant } from '../testing/tenant.ts';

const serverInCluster = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  containers:
    - name: web
      image: busybox
      command: [sh, -c, 'mkdir /www; echo from the cluster > /www/index.html; exec httpd -f -p 8080 -h /www']
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: web-pods }
spec: { clusterIP: None, selector: { app: web }, ports: [{ port: 8080 }] }
`;

let region: Region;
let cluster: Cluster;
let tenant: Tenant;

beforeAll(async () => {
  [region, cluster] = await Promise.all([
    startRegion({ node: 'containers', networkStepMs: 100 }),
    startCluster({ node: { cpu: '1' } }),
  ]);
  await peer(region.cluster, cluster);
  tenant = await Tenant.in(region, 'work');
});
afterAll(() => Promise.all([region.close(), cluster.close()]));

/** Why a pod cannot connect; nothing when it can. */
async function connect(pod: string, address: string): Promise<string> {
  return (await tenant.exec(pod, ['/agnhost', 'connect', '--timeout=5s', address])).stderr;
}

describe('a pod of the region', () => {
  beforeAll(async () => {
    await tenant.create('shell', 'exec sleep 10000', {}, agnhostImage);
    await tenant.running('shell');
  });

  test('runs with an address that no cluster has', async () => {
    expect(await tenant.statusOf('shell')).toMatchObject({
      phase: 'Running',
      podIP: expect.stringMatching(/^10\.246\./),
    });
  });

  test('can be worked in by both protocols, with the exit code', async () => {
    expect(await tenant.exec('shell', ['hostname'])).toMatchObject({ code: 0, stdout: 'shell\n' });
    const spdy = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' };
    const outcome = await tenant.exec('shell', ['sh', '-c', 'echo again; exit 7'], spdy);
    expect(outcome).toMatchObject({ code: 7, stdout: 'again\n' });
  });

  test('knows of no API server, and reaches no Service of the region', async () => {
    const { stdout } = await tenant.exec('shell', ['sh', '-c', 'env; ls /var/run/secrets 2>&1']);
    expect(stdout).toContain('PATH=');
    expect(stdout).not.toContain('KUBERNETES');
    expect(stdout).not.toContain('kubernetes.io');
    expect(await connect('shell', '10.96.0.1:443')).toContain('network is unreachable');
  });

  test('says what it says when it says it', async () => {
    await tenant.create('talker', 'echo first; until [ -f /go ]; do sleep 0.1; done; echo later; exec sleep 10000');
    await tenant.running('talker');
    const log = await tenant.follow('talker');
    await expect.poll(() => log.said()).toBe('first\n');
    await tenant.exec('talker', ['touch', '/go']);
    await expect.poll(() => log.said()).toBe('first\nlater\n');
  });

  test('is measured as its cgroup is', async () => {
    await tenant.create('busy', 'dd if=/dev/zero of=/dev/shm/32M bs=1M count=32; while :; do :; done');
    await tenant.running('busy');
    const usage = async (): Promise<{ cpu: number; memory: number }> => {
      const { body } = await tenant.call('GET', '/apis/metrics.k8s.io/v1beta1/namespaces/work/pods/busy');
      // The gateway's answer.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const [container] = (body as { containers?: { usage: Record<string, string> }[] }).containers ?? [];
      return {
        cpu: Number.parseInt(container?.usage['cpu'] ?? '0', 10) / 1e9,
        memory: Number.parseInt(container?.usage['memory'] ?? '0', 10) * 1024,
      };
    };
    // As much as its limit of 250m lets it, once the cores are free for so long as is measured.
    await expect
      .poll(async () => Math.abs((await usage()).cpu - 0.25), { timeout: 300_000, interval: 1000 })
      .toBeLessThan(0.025);
    // The files of version 2 of cgroups, or of version 1.
    const files = 'memory.current memory/memory.usage_in_bytes memory.stat memory/memory.stat';
    const script = `cd /sys/fs/cgroup; cat ${files} 2>/dev/null; true`;
    const { stdout } = await tenant.exec('busy', ['sh', '-c', script]);
    const [, inactive] = /^total_inactive_file (\d+)$/m.exec(stdout) ?? /^inactive_file (\d+)$/m.exec(stdout) ?? [];
    const workingSet = Number.parseInt(stdout, 10) - Number(inactive);
    expect(workingSet).toBeGreaterThan(32 * 2 ** 20);
    await expect.poll(async () => Math.abs((await usage()).memory - workingSet) / workingSet).toBeLessThan(0.1);
    await tenant.call('DELETE', `${tenant.pod('busy')}?gracePeriodSeconds=0`);
  });

  test('ends with its exit code', async () => {
    await tenant.create('fails', 'exit 3', { restartPolicy: 'Never' });
    await tenant.create('done', 'true', { restartPolicy: 'Never' });
    const failed = { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] };
    await expect.poll(() => tenant.statusOf('fails')).toMatchObject(failed);
    await expect.poll(() => tenant.statusOf('done')).toMatchObject({ phase: 'Succeeded' });
  });

  test('goes on running when the kubelet dies, and is deleted by its successor', async () => {
    const before = await tenant.running('shell');
    const pid = await region.node?.pid();
    process.kill(pid ?? 0, 'SIGKILL');
    await expect.poll(async () => (await region.node?.pid()) !== pid && (await region.node?.isReady())).toBe(true);
    // It learns of its pods a moment later.
    await expect.poll(() => tenant.exec('shell', ['true'])).toMatchObject({ code: 0 });
    expect((await tenant.statusOf('shell')).containerStatuses).toEqual(before.containerStatuses);
    await tenant.call('DELETE', `${tenant.pod('shell')}?gracePeriodSeconds=1`);
    await expect.poll(() => tenant.call('GET', tenant.pod('shell'))).toMatchObject({ status: 404 });
  });
});

describe('what a pod requests', () => {
  const asked = { cpu: '250m', memory: '1Gi' };
  const asMade = {
    spec: { containers: [{ resources: { limits: asked, requests: asked } }] },
    status: { qosClass: 'Guaranteed', containerStatuses: [{ resources: { limits: asked, requests: asked } }] },
  };

  beforeAll(async () => {
    await tenant.create('modest', 'exec sleep 10000');
    await tenant.running('modest');
  });

  test('is nothing for the node, so that more pods fit than the machine has room for', async () => {
    const path = 'jsonpath={.spec.containers[0].resources}';
    const { stdout } = await region.cluster.kubectl(['-n', 'work', 'get', 'pod', 'modest', '-o', path]);
    expect(JSON.parse(stdout)).toEqual({ limits: asked, requests: { cpu: '0', memory: '0' } });
    const large = { limits: { cpu: '64', memory: '512Gi' } };
    const containers = [{ name: 'main', image: 'busybox', command: ['sleep', '10000'], resources: large }];
    await tenant.create('huge', '', { containers });
    expect(await tenant.running('huge')).toMatchObject({ phase: 'Running' });
  });

  test('is shown as it was made, in every answer and by both generations', async () => {
    const paths = [tenant.pod('modest'), '/apis/cci/v2/namespaces/work/pods/modest'];
    for (const path of paths) {
      const { body } = await tenant.call('GET', path);
      expect(body).toMatchObject(asMade);
      expect(JSON.stringify(body)).not.toContain('requests.cci-standin/main":"');
    }
    for (const path of ['/api/v1/namespaces/work/pods', '/api/v1/pods', '/apis/cci/v2/namespaces/work/pods']) {
      expect(await tenant.call('GET', path)).toMatchObject({
        body: {
          items: expect.arrayContaining([
            expect.objectContaining({
              spec: expect.objectContaining({
                containers: [expect.objectContaining({ resources: { limits: asked, requests: asked } })],
              }),
            }),
          ]),
        },
      });
    }
    for (const path of ['/api/v1/namespaces/work/pods', '/apis/cci/v2/namespaces/work/pods']) {
      expect(await tenant.firstFrame(`${path}?watch=true&fieldSelector=metadata.name%3Dmodest`)).toMatchObject({
        type: 'ADDED',
        object: asMade,
      });
    }
  });

  test('stays when the pod is changed, and cannot be changed itself', async () => {
    const change = { metadata: { labels: { changed: 'yes' }, annotations: null } };
    expect(await tenant.call('PATCH', tenant.pod('modest'), change)).toMatchObject({ status: 200, body: asMade });
    const { body } = await tenant.call('GET', tenant.pod('modest'));
    // The kubelet writes statuses meanwhile.
    delete Object(body).metadata.resourceVersion;
    expect(await tenant.call('PUT', tenant.pod('modest'), body)).toMatchObject({ status: 200, body: asMade });
    const container = {
      ...asMade.spec.containers[0],
      resources: { limits: asked, requests: { cpu: '1m', memory: '1Gi' } },
    };
    const other = {
      ...Object(body),
      spec: { ...Object(body).spec, containers: [{ ...Object(body).spec.containers[0], ...container }] },
    };
    expect(await tenant.call('PUT', tenant.pod('modest'), other)).toMatchObject({ status: 422 });
    expect(await tenant.call('GET', tenant.pod('modest'))).toMatchObject({ body: asMade });
  });
});

/** A pod that mounts the file system, or a part of it. */
const mounting = (subPath?: string): object => ({
  containers: [
    {
      name: 'main',
      image: 'busybox',
      command: ['sleep', '10000'],
      resources: { limits: { cpu: '250m', memory: '1Gi' }, requests: { cpu: '250m', memory: '1Gi' } },
      volumeMounts: [{ name: 'data', mountPath: '/data', ...(subPath === undefined ? {} : { subPath }) }],
    },
  ],
  volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'shared' } }],
});

describe('a file system', () => {
  test('is one folder for all pods that mount it, as a whole or in part, and outlives them', async () => {
    const share = await region.storage.create('sfs-turbo', region.accounts[0]?.project.id ?? '');
    const path = '/api/v1/namespaces/work';
    const annotations = { fsType: 'nfs', volumeID: share.id, deviceMountPath: share.exportLocation };
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'shared', annotations },
      spec: { resources: { requests: { storage: '10Gi' } }, storageClassName: 'efs-standard' },
    };
    const imports = `${path}/extended-persistentvolumeclaims`;
    expect(await tenant.call('POST', imports, claim)).toMatchObject({ status: 201 });
    await tenant.create('writes', '', mounting());
    await tenant.create('reads', '', mounting('part'));
    await Promise.all([tenant.running('writes'), tenant.running('reads')]);
    await tenant.exec('writes', ['sh', '-c', 'echo kept > /data/part/file']);
    expect(await tenant.exec('reads', ['cat', '/data/file'])).toMatchObject({ stdout: 'kept\n' });
    for (const name of ['writes', 'reads']) {
      await tenant.call('DELETE', `${tenant.pod(name)}?gracePeriodSeconds=1`);
    }
    const unbind = `${path}/persistentvolumeclaims/shared?deleteVolume=false&storageType=nfs`;
    expect(await tenant.call('DELETE', unbind)).toMatchObject({ status: 200 });
    await expect.poll(() => region.storage.read()).toMatchObject([{ exists: true, bound: [] }]);
    expect(await readFile(join(share.folder, 'part', 'file'), 'utf8')).toBe('kept\n');
  });
});

test('what CCI does not document is not there', async () => {
  for (const verb of ['attach', 'portforward', 'ephemeralcontainers']) {
    expect(await tenant.call('GET', `${tenant.pod('modest')}/${verb}`)).toMatchObject({ status: 404 });
  }
});

describe('joined to a cluster as VPCs are', () => {
  beforeAll(async () => {
    await cluster.kubectl(['apply', '-f', '-'], { input: serverInCluster });
    const dnsConfig = { nameservers: [cluster.nodeAddress], searches: ['default.svc.cluster.local'] };
    const serve = 'mkdir /www; echo from the region > /www/index.html; exec httpd -f -p 8080 -h /www';
    await tenant.create('burst', serve, { dnsPolicy: 'None', dnsConfig }, agnhostImage);
    await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/web', '--timeout=180s']);
    await tenant.running('burst');
  });

  test('pods of both reach each other by their addresses', async () => {
    const { podIP } = await tenant.statusOf('burst');
    const web = await cluster.kubectl(['get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}']);
    // Ready is who has started, and may not listen yet.
    await expect
      .poll(() => tenant.exec('burst', ['wget', '-qO-', `http://${web.stdout}:8080`]))
      .toMatchObject({ code: 0, stdout: 'from the cluster\n' });
    await expect
      .poll(() => cluster.kubectl(['exec', 'web', '--', 'wget', '-qO-', `http://${podIP}:8080`]))
      .toMatchObject({ code: 0, stdout: 'from the region\n' });
  });

  test('names of the cluster resolve, and Services do not connect', async () => {
    await expect.poll(() => connect('burst', 'web-pods:8080')).toBe('');
    const { stdout: address } = await cluster.kubectl(['get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
    expect(address).toMatch(/^10\.96\./);
    expect(await connect('burst', `${address}:8080`)).toContain('network is unreachable');
  });
});

test('nothing is left when it is closed, and the cluster is joined to nothing', async () => {
  const footprint = await footprintOf(region.cluster);
  expect(footprint.sandboxes.length).toBeGreaterThan(0);
  await region.close();
  expect(await residueOf(footprint)).toEqual([]);
  expect(await peerOf(cluster)).toBeUndefined();
});
