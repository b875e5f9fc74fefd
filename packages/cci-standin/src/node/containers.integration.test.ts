import { type Cluster, peer, peerOf, startCluster } from '@spillway/devcluster';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { footprintOf, residueOf } from '../../../devcluster/test/residue.ts';
import { startRegion, type Region } from '../region.ts';
import { spillway } from '../testing/program.ts';
import { Tenant } from '../testing/tenant.ts';

const web = `
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
    startRegion({ node: 'containers', program: spillway, networkStepMs: 100 }),
    startCluster({ node: { cpu: '1' } }),
  ]);
  await peer(region.cluster, cluster);
  tenant = await Tenant.in(region, 'work');
});
afterAll(() => Promise.all([region.close(), cluster.close()]));

describe('a pod of the region', () => {
  beforeAll(async () => {
    await tenant.create('shell', 'exec sleep 10000');
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
    const connected = await tenant.exec('shell', ['nc', '-w', '2', '10.96.0.1', '443']);
    expect(connected.code).not.toBe(0);
  });

  test('says what it says when it says it', async () => {
    await tenant.create('talker', 'echo first; until [ -f /go ]; do sleep 0.1; done; echo later; exec sleep 10000');
    await tenant.running('talker');
    const log = await tenant.follow('talker');
    await expect.poll(() => log.said()).toBe('first\n');
    await tenant.exec('talker', ['touch', '/go']);
    await expect.poll(() => log.said()).toBe('first\nlater\n');
  });

  test('ends with its exit code', async () => {
    await tenant.create('fails', 'exit 3', { restartPolicy: 'Never' });
    await tenant.create('done', 'true', { restartPolicy: 'Never' });
    const failed = { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] };
    await expect.poll(() => tenant.statusOf('fails')).toMatchObject(failed);
    await expect.poll(() => tenant.statusOf('done')).toMatchObject({ phase: 'Succeeded' });
  });

  test('goes on running when the program of the node dies, and is deleted by its successor', async () => {
    const before = await tenant.running('shell');
    const pid = region.node?.pid ?? 0;
    process.kill(-pid, 'SIGKILL');
    await expect.poll(async () => region.node?.pid !== pid && (await region.node?.isReady())).toBe(true);
    expect(await tenant.exec('shell', ['true'])).toMatchObject({ code: 0 });
    expect((await tenant.statusOf('shell')).containerStatuses).toEqual(before.containerStatuses);
    await tenant.call('DELETE', `${tenant.pod('shell')}?gracePeriodSeconds=1`);
    await expect.poll(() => tenant.call('GET', tenant.pod('shell'))).toMatchObject({ status: 404 });
  });
});

describe('joined to a cluster as VPCs are', () => {
  beforeAll(async () => {
    await cluster.kubectl(['apply', '-f', '-'], { input: web });
    const dnsConfig = { nameservers: [cluster.nodeAddress], searches: ['default.svc.cluster.local'] };
    const serve = 'mkdir /www; echo from the region > /www/index.html; exec httpd -f -p 8080 -h /www';
    await tenant.create('burst', serve, { dnsPolicy: 'None', dnsConfig });
    await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/web', '--timeout=180s']);
    await tenant.running('burst');
  });

  test('pods of both reach each other by their addresses', async () => {
    const { podIP } = await tenant.statusOf('burst');
    const web = await cluster.kubectl(['get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}']);
    const there = await tenant.exec('burst', ['wget', '-qO-', `http://${web.stdout}:8080`]);
    expect(there).toMatchObject({ code: 0, stdout: 'from the cluster\n' });
    const back = await cluster.kubectl(['exec', 'web', '--', 'wget', '-qO-', `http://${podIP}:8080`]);
    expect(back).toMatchObject({ code: 0, stdout: 'from the region\n' });
  });

  test('names of the cluster resolve, and Services do not connect', async () => {
    const lookUp = await tenant.exec('burst', ['nslookup', 'web-pods.default.svc.cluster.local']);
    expect(lookUp).toMatchObject({ code: 0 });
    const { stdout: address } = await cluster.kubectl(['get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
    expect(address).toMatch(/^10\.96\./);
    const connected = await tenant.exec('burst', ['nc', '-w', '2', address, '8080']);
    expect(connected.code).not.toBe(0);
  });
});

test('nothing is left when it is closed, and the cluster is joined to nothing', async () => {
  const footprint = await footprintOf(region.cluster);
  expect(footprint.sandboxes.length).toBeGreaterThan(0);
  await region.close();
  expect(await residueOf(footprint)).toEqual([]);
  expect(await peerOf(cluster)).toBeUndefined();
});
