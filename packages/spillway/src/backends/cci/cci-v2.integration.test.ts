import type { Secret } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../backend.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { podName } from '../kubernetes/pods/names.ts';
import { Driver } from '../testing/driver.ts';
import { makeWorkload, script } from '../testing/workloads.ts';
import { LocalRegion } from './testing/local-region.ts';

const image = 'swr.cn-north-4.myhuaweicloud.com/team/app:1';
const namespace = 'bursting-c1';
const resources = { requests: { cpu: '500m', memory: '3Gi' }, limits: { cpu: '500m', memory: '3Gi' } };

const pod = (name: string, text: string, secrets: Record<string, Secret> = {}): ReturnType<typeof makeWorkload> => {
  const fromSecret = Object.keys(secrets).map((each) => ({
    name: 'PASSWORD',
    valueFrom: { secretKeyRef: { name: each, key: 'password' } },
  }));
  const container = script(text, { resources, env: fromSecret });
  return makeWorkload({ name, image, secrets, spec: { containers: [container] } });
};

describe('pods in CCI 2.0', () => {
  let world: LocalRegion;
  let backend: Backend;
  let driver: Driver;

  beforeAll(async () => {
    world = await LocalRegion.start({});
    backend = await world.backend({ apiVersion: 'v2' });
    await backend.prepare(new AbortController().signal);
    driver = new Driver(backend);
  });

  afterAll(async () => {
    await driver?.finish();
    await world?.[Symbol.asyncDispose]();
  });

  /** What is in the region, by its administrator. */
  const inRegion = async (...what: string[]): Promise<string> => {
    const { code, stdout, stderr } = await world.region.cluster.kubectl(['get', ...what]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return stdout.trim();
  };

  test('have a namespace named after the cluster, and its network is Ready', async () => {
    expect(await inRegion('namespace', namespace, '-o', 'jsonpath={.metadata.labels}')).toContain(
      '"spillway.dev/cluster":"c1"',
    );
    const network = await inRegion('networks', '-n', namespace, '-o', 'jsonpath={.items[*].spec}');
    expect(JSON.parse(network)).toEqual({
      networkType: 'underlay_neutron',
      securityGroups: ['security-group'],
      subnets: [{ subnetID: 'subnet' }],
      ipFamilies: ['IPv4'],
    });
    // Also for who comes later.
    await backend.prepare(driver.signal);
    expect(backend.capabilities.runtimeVersion).toBe('cci://v2');
  });

  test('run, are watched, say what they do, and leave nothing behind', async () => {
    const login = { data: { password: Buffer.from('sesame').toString('base64') } };
    const web = await driver.run(pod('web', 'echo hello $PASSWORD; sleep 3600', { login }));
    const running = await driver.reaches(web, 'running');
    expect(running).toMatchObject({ podIPs: [expect.stringMatching(/^10\./)] });
    await eventually('the watch tells that it runs', () =>
      driver.events.some((event) => event.type === 'changed' && event.instance.state === 'running'),
    );
    expect(
      await inRegion('pod', podName(web.ref), '-n', namespace, '-o', 'jsonpath={.metadata.annotations}'),
    ).toContain('"resource.cci.io/size":"0.50_3.0"');
    await eventually('its log', async () => (await driver.logs(web)) === 'hello sesame\n');
    expect(await driver.exec(web, ['sh', '-c', 'echo from inside; exit 3'])).toMatchObject({
      exitCode: 3,
      stdout: Buffer.from('from inside\n'),
    });
    await backend.stop(web.ref, { graceSeconds: 1 }, driver.signal);
    await backend.remove(web.ref, driver.signal);
    await eventually('the watch tells that it is gone', () =>
      driver.events.some((event) => event.type === 'gone' && event.ref.uid === web.ref.uid),
    );
    const owned = ['pods,configmaps,secrets', '-n', namespace, '-l', 'spillway.dev/cluster=c1', '-o', 'name'];
    await eventually('its copy of the Secret is removed', async () => (await inRegion(...owned)) === '');
  });

  test('that end tell how', async () => {
    const made = pod('fails', 'exit 7');
    const never = { ...made, pod: { ...made.pod, spec: { containers: [], ...made.pod.spec, restartPolicy: 'Never' } } };
    await driver.run(never);
    expect(await driver.reaches(never, 'ended')).toMatchObject({
      containerStatuses: [{ state: { terminated: { exitCode: 7 } } }],
    });
    await backend.remove(never.ref, driver.signal);
  });

  test('of a StatefulSet are accepted, though CCI 2.0 has no field for their subdomain', async () => {
    const made = pod('db-0', 'sleep 3600');
    const spec = { containers: [], ...made.pod.spec, subdomain: 'db' };
    const member = await driver.run({ ...made, pod: { ...made.pod, spec } });
    await driver.reaches(member, 'running');
    await backend.remove(member.ref, driver.signal);
  });

  test('for which no flavour is large enough are refused in the words of CCI', async () => {
    const made = pod('huge', 'sleep 1');
    const huge = { requests: { cpu: '65', memory: '1Gi' }, limits: { cpu: '65', memory: '1Gi' } };
    const containers = (made.pod.spec?.containers ?? []).map((container) => ({ ...container, resources: huge }));
    const workload = { ...made, pod: { ...made.pod, spec: { ...made.pod.spec, containers } } };
    await expect(backend.create(workload, driver.signal)).rejects.toMatchObject({
      message: expect.stringContaining('no flavor is large enough'),
    });
  });
});
