import { type Cluster } from '@spillway/devcluster';
import { events, KubeClient, loadKubeconfig, type Node, nodes, pods, serviceAccounts } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { borrowCluster } from '../../../../devcluster/testkit/borrow.ts';
import { Testbed } from '../../../testkit/testbed.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { LocalRegion, podNamed } from './testing/local-region.ts';

describe('an account that has to pay', () => {
  let cluster: Cluster;
  let world: LocalRegion;
  let testbed: Testbed;
  let admin: KubeClient;

  beforeAll(async () => {
    cluster = await borrowCluster();
    world = await LocalRegion.start({ host: cluster.hostAddress });
    admin = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
    testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at: world.region } });
    await testbed.start();
    await eventually('the default service account', () =>
      admin
        .resource(serviceAccounts)
        .get({ namespace: 'default', name: 'default' })
        .catch(() => false),
    );
  });

  afterAll(async () => {
    await testbed?.stop('SIGKILL');
    await admin?.close();
    await world?.[Symbol.asyncDispose]();
    await cluster?.close();
  });

  const node = (): Promise<Node> => admin.resource(nodes).get({ name: testbed.nodeName });
  const isClosed = async (): Promise<boolean> =>
    ((await node()).spec?.taints ?? []).some(({ key }) => key === 'bursting.cci.io/no-schedule');
  const stands = (standing: object): Promise<unknown> =>
    world.admin('PUT', `accounts/${world.account.domain.id}`, standing);

  test.each([
    ['arrears', 'CCIArrears', 'Top up the account'],
    ['frozen', 'CCIFrozen', 'Ask Huawei Cloud support'],
  ])(
    '%s: the node is tainted and stays Ready, a pod says why, and runs when it is over',
    async (state, reason, remedy) => {
      await eventually('the node takes pods', async () => !(await isClosed()));
      await stands({ [state]: true });
      const name = { namespace: 'default', name: state };
      const { containers = [] } = podNamed(state).pod.spec ?? {};
      await admin.resource(pods).create({ metadata: name, spec: { nodeName: testbed.nodeName, containers } });
      await eventually('the node is tainted', isClosed);
      const conditions = (await node()).status?.conditions ?? [];
      expect(Object.fromEntries(conditions.map(({ type, status }) => [type, status]))).toMatchObject({
        Ready: 'True',
        BackendReachable: 'True',
      });
      await eventually('the pod says why', async () => {
        const [status] = (await admin.resource(pods).get(name)).status?.containerStatuses ?? [];
        const { waiting } = status?.state ?? {};
        return waiting?.reason === reason && waiting.message?.includes(remedy);
      });
      await eventually('so does an event', async () =>
        (await admin.resource(events).list({ namespace: 'default' })).items.some(
          (event) => event.reason === reason && event.message?.includes(remedy),
        ),
      );
      await stands({ [state]: false });
      await eventually('the pod runs', async () => (await admin.resource(pods).get(name)).status?.phase === 'Running');
      await eventually('the taint is gone', async () => !(await isClosed()));
      await admin.resource(pods).delete(name, { gracePeriodSeconds: 0 });
    },
  );
});
