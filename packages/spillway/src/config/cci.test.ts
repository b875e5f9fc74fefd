import { expect, test } from 'vitest';
import { cciSchema } from './cci.ts';
import { parseConfig } from './load.ts';

const minimal = {
  type: 'cci',
  region: 'cn-north-4',
  projectId: 'p1',
  domainId: 'd1',
  vpcId: 'v1',
  networkId: 'n1',
  subnetId: 's1',
  securityGroupId: 'g1',
  availableZone: 'cn-north-4a',
};

function problemsOf(change: object): string[] {
  const result = cciSchema.safeParse({ ...minimal, ...change });
  return result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

test('a region, an account and a place in its networks are enough', () => {
  expect(cciSchema.parse(minimal)).toEqual({
    ...minimal,
    credentials: {},
    apiVersion: 'v1',
    soldOutAfterSeconds: 20,
    volumeRefresh: false,
    rateLimits: { podsPerSecond: 20, podBurst: 100, callsPerSecond: 100, callBurst: 500 },
    imageReplacements: [],
  });
});

test.each([
  [{ region: 'CN North 4' }, /^region: must be a region such as cn-north-4/],
  [{ endpoint: 'http://cci.example' }, /^endpoint: must be https/],
  [{ endpoint: 'https://user@cci.example/path' }, /^endpoint: must be https/],
  [{ vpcId: undefined }, /^vpcId: /],
  [{ namespaceName: 'Mine' }, /^namespaceName: must consist of lower-case/],
  [{ credentials: { accessKey: 'AK' } }, /^credentials: .*accessKey/],
  [{ apiVersion: 'v3' }, /^apiVersion: /],
  [
    { imageReplacements: [{ repositoryPrefix: 'a/', replaceWith: 'b' }] },
    /^imageReplacements.0.repositoryPrefix: must not end with/,
  ],
])('%j is refused with what is allowed', (change, message) => {
  const problems = problemsOf(change);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(message);
});

test.each([
  ['the sizes of CCI', { ...minimal }, undefined, 'cci'],
  ['those of CCI 2.0', { ...minimal, apiVersion: 'v2' }, undefined, 'cci2'],
  ['others that the pool names', { ...minimal }, 'cci-legacy', 'cci-legacy'],
  ['none with another backend', { type: 'simulated' }, undefined, 'none'],
])('pods of a pool have %s', (_, backend, sizing, expected) => {
  const pool = { name: 'a', nodeName: 'a', backend, ...(sizing !== undefined && { sizing }) };
  expect(parseConfig(JSON.stringify({ pools: [pool] }), 'spillway.yaml').pools[0]?.sizing).toBe(expected);
});

const pool = (backend: object, deadMan: object): string =>
  JSON.stringify({ pools: [{ name: 'a', nodeName: 'vk', backend, deadMan }] });
const read = (text: string): unknown => parseConfig(text, 'config.yaml').pools[0]?.deadMan;

test('the dead-man switch is refused where it cannot do what is asked for, with what can be done', () => {
  expect(read(pool(minimal, { afterSeconds: 1800 }))).toEqual({ afterSeconds: 1800 });
  expect(() => read(pool(minimal, { afterSeconds: 1800, image: 'spillway:1' }))).toThrow(
    /deadMan\.image: CCI cannot run this job: .* run "spillway dead-man" at intervals elsewhere/,
  );
  expect(() => read(pool(minimal, { afterSeconds: 1799 }))).toThrow(/deadMan\.afterSeconds/);
  expect(() => read(pool(minimal, {}))).toThrow(/deadMan\.afterSeconds/);
  expect(() => read(pool({ type: 'simulated' }, { afterSeconds: 1800 }))).toThrow(/deadMan: needs a backend whose/);
  const other = { type: 'kubernetes', kubeconfig: '/k' };
  expect(read(pool(other, { afterSeconds: 1800, image: 'spillway:1' }))).toEqual({
    afterSeconds: 1800,
    image: 'spillway:1',
  });
});
