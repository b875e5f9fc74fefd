import { expect, it } from 'vitest';
import type { TracedInstance } from '../backends/survey.ts';
import { addOnPlaces, ownSpaces, type PlacedTrace } from './places.ts';
import { addOnPod } from './testing/add-on-objects.ts';

const instance = (name: string, ended = false): TracedInstance => ({
  name: `shop-${name}`,
  uid: name,
  pod: `shop/${name}`,
  node: '',
  ended,
  cpu: '1',
  memory: '1Gi',
});
const trace = (clusterId: string, ...instances: TracedInstance[]): PlacedTrace => ({
  place: 'CCI',
  clusterId,
  by: 'add-on',
  namespace: `cce-burst-${clusterId}`,
  nodes: [],
  instances,
});
const web = addOnPod('web');
const db = addOnPod('db');
const ours = trace('ours', instance('web'), instance('db'), instance('lost'), instance('old', true));
const other = trace('other', instance('web'));

it('a namespace is of this cluster if it has an instance of each of its pods', () => {
  const own = ownSpaces([ours, other], [web, db]);
  expect(addOnPlaces([ours, other], own, [web, db])).toEqual([
    {
      place: 'CCI',
      namespace: 'cce-burst-ours',
      clusterId: 'ours',
      ofThisCluster: 'yes',
      running: 3,
      withoutPod: ['shop/lost'],
    },
    {
      place: 'CCI',
      namespace: 'cce-burst-other',
      clusterId: 'other',
      ofThisCluster: 'unknown',
      running: 1,
      withoutPod: [],
    },
  ]);
});

it('without pods, nothing is known to be of this cluster', () => {
  expect(ownSpaces([ours, other], [])).toEqual(new Set());
});

it('what is still there after the pods have moved is told, and what Spillway itself has there is not', () => {
  const own = ownSpaces([ours], [web, db]);
  const after = [trace('ours', instance('db')), { ...other, by: 'spillway' as const }];
  expect(addOnPlaces(after, own, []).map(({ withoutPod }) => withoutPod)).toEqual([['shop/db']]);
});
