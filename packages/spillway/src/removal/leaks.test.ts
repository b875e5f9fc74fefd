import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { SimulatedBackend } from '../backends/simulated/simulated-backend.ts';
import { SimulatedRegion } from '../backends/simulated/simulated-region.ts';
import { silentLogger } from '@spillway/kube';
import { BackendError } from '../backends/backend.ts';
import type { Sighting, Survey, Trace } from '../backends/survey.ts';
import { parseConfig } from '../config/load.ts';
import { findLeaks, removeLeaks, type SurveyedPlace } from './leaks.ts';

const signal = new AbortController().signal;
const trace = (clusterId: string, by: Trace['by'] = 'spillway'): Trace => {
  const instance = { name: `${clusterId}-web`, uid: clusterId, pod: 'shop/web', node: 'virtual', ended: false };
  return {
    clusterId,
    by,
    namespace: `cce-burst-${clusterId}`,
    nodes: ['virtual'],
    instances: [{ ...instance, cpu: '1', memory: '2Gi' }],
  };
};

/** What was opened and ended there. */
function placeOf(place: string, look: () => Promise<Sighting>): SurveyedPlace & { readonly done: string[] } {
  const servingCertificate = { csr: { approve: true } };
  const pools = [{ name: 'cci', nodeName: 'virtual', servingCertificate, backend: { type: 'simulated' } }];
  const [pool] = parseConfig(stringify({ pools }), 'config.yaml').pools;
  if (pool === undefined) throw new Error('no pool');
  const done: string[] = [];
  const region = new SimulatedRegion({ options: {}, logger: silentLogger });
  const survey: Survey = {
    place,
    look,
    open: (owner, namespace) => {
      done.push(`open ${owner.clusterId} ${owner.nodeName} in ${namespace}`);
      return new SimulatedBackend({ region, owner });
    },
    silence: () => expect.fail('nobody asks whether a node is silent'),
    end: async (namespace, { name }) => void done.push(`end ${namespace}/${name}`),
    close: async () => {},
  };
  return { survey, pool, done };
}

test('the cluster that answers is alive, of others nobody knows; a place that does not answer is told', async () => {
  const places = [
    placeOf('here', async () => ({ traces: [trace('a'), trace('b')], unseen: 'some namespaces' })),
    placeOf('away', async () => {
      throw new BackendError('unavailable', 'no route', { remedy: 'Check the network' });
    }),
  ];
  const { leaks, unseen } = await findLeaks(places, 'a', signal);
  expect(leaks.map(({ clusterId, living, place }) => [clusterId, living, place])).toEqual([
    ['a', 'yes', 'here'],
    ['b', 'unknown', 'here'],
  ]);
  expect(unseen).toEqual(['here: some namespaces', 'away: no route. Check the network']);
});

test('only what is asked for is opened; of the add-on the instances are ended, and its namespace remains', async () => {
  const place = placeOf('here', async () => ({ traces: [trace('a'), trace('b'), trace('old', 'add-on')] }));
  const { leaks } = await findLeaks([place], undefined, signal);
  const clock = { now: () => Date.now(), sleep: async () => {} };
  const options = { graceSeconds: 0, timeoutMs: 10_000, tell: () => {}, clock };
  const asked = leaks.filter(({ clusterId }) => clusterId !== 'b');
  const { removed, remains } = await removeLeaks([place], asked, options, signal);
  expect(place.done).toEqual(['open a virtual in cce-burst-a', 'end cce-burst-old/old-web']);
  expect(removed).toEqual([{ pool: 'cci', kind: 'Instance', namespace: 'cce-burst-old', name: 'old-web' }]);
  expect(remains.map(({ kind, name }) => [kind, name])).toEqual([['Namespace', 'cce-burst-old']]);
});
