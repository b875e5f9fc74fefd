// The chart as Helm renders it, against the objects that "spillway install" applies.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { resolveHelm } from '@spillway/devcluster';
import type { KubeObject } from '@spillway/kube';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { parseConfig } from '../../config/load.ts';
import {
  carrierOf,
  configMapName,
  type InstallationOptions,
  installationObjects,
} from '../installation/installation.ts';
import { installedConfig } from '../installation/installed-config.ts';
import { removalHook } from '../installation/removal-hook.ts';
import { resourcesFor } from '../installation/resources.ts';
import { usualOptions } from '../testing/installations.ts';

const run = promisify(execFile);
const chart = path.join(import.meta.dirname, '../../../../../charts/spillway');
const namespace = 'burst-system';

let helm: string;
let folder: string;
let files = 0;

beforeAll(async () => {
  helm = await resolveHelm();
  folder = await mkdtemp(path.join(tmpdir(), 'spillway-chart-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function withValues(values: object, ...args: readonly string[]): Promise<string> {
  const file = path.join(folder, `values-${(files += 1)}.yaml`);
  await writeFile(file, stringify(values));
  const { stdout } = await run(helm, [...args, chart, '-f', file], { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

const rendered = async (values: object): Promise<readonly KubeObject[]> => {
  const text = await withValues(values, 'template', 'any-name', '--namespace', namespace);
  return parseAllDocuments(text).flatMap((document): KubeObject[] => {
    const object: KubeObject | null = document.toJS();
    return object === null ? [] : [object];
  });
};

const failure = async (values: object): Promise<string> => {
  try {
    await rendered(values);
  } catch (error) {
    return String(Reflect.get(Object(error), 'stderr'));
  }
  throw new Error('the chart accepts this');
};

/** What the order of keys and the way to write a configuration say nothing about. */
function comparable(objects: readonly KubeObject[]): Record<string, unknown> {
  return Object.fromEntries(
    objects.map((object) => {
      const copy = structuredClone(object);
      const data: unknown = Reflect.get(copy, 'data');
      if (copy.kind === 'ConfigMap') Reflect.set(copy, 'data', parse(String(Reflect.get(Object(data), 'config.yaml'))));
      // Helm is told there not to remove it.
      if (copy.kind === 'CustomResourceDefinition') Reflect.deleteProperty(Object(copy.metadata), 'annotations');
      const text = JSON.stringify(copy, (key, value: unknown) =>
        key === 'spillway.dev/config-digest' ? 'digest' : value,
      );
      return [[copy.kind, copy.metadata?.namespace, copy.metadata?.name].join(' '), JSON.parse(text)];
    }),
  );
}

interface Case {
  readonly config: Record<string, unknown>;
  readonly options: Pick<
    InstallationOptions,
    | 'replicas'
    | 'imagePullSecrets'
    | 'nodeSelector'
    | 'tolerations'
    | 'mounts'
    | 'stateClaim'
    | 'abilities'
    | 'linkService'
  >;
  readonly pods: number;
  readonly uninstall: {
    readonly enabled: boolean;
    readonly keepCrds: boolean;
    readonly timeoutSeconds: number;
  };
}

const valuesOf = ({ config, options, pods, uninstall }: Case): object => ({
  config,
  image: { repository: 'registry.example.com/spillway', tag: '1.2.3' },
  pods,
  replicas: options.replicas,
  imagePullSecrets: options.imagePullSecrets,
  nodeSelector: options.nodeSelector,
  tolerations: options.tolerations,
  secrets: options.mounts.map(({ secret, folder: of }) => ({ name: secret, folder: of })),
  stateClaim: options.stateClaim ?? '',
  abilities: options.abilities,
  linkService: options.linkService,
  uninstall,
});

/** And what Helm runs before it removes that. */
function installed({ config, options, pods, uninstall }: Case): readonly KubeObject[] {
  const text = stringify(installedConfig(config, namespace));
  const whole = {
    ...usualOptions,
    ...options,
    namespace,
    ownsNamespace: false,
    ownsDefinition: true,
    image: 'registry.example.com/spillway:1.2.3',
    resources: resourcesFor(pods),
  };
  const parsed = parseConfig(text, 'config.yaml');
  const objects = installationObjects({ config: parsed, text }, whole);
  if (!uninstall.enabled) return objects;
  const content = { configMapName: configMapName(parsed.name), mounts: options.mounts, files: [] };
  return [...objects, ...removalHook(parsed, { ...whole, ...uninstall }, content, objects)];
}

const maybe = <T>(name: string, value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.option(value, { nil: undefined }).map((found) => (found === undefined ? {} : { [name]: found }));
const all = (...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<Record<string, unknown>> =>
  fc.tuple(...parts).map((found) => Object.assign({}, ...found));

const pool = (index: number): fc.Arbitrary<object> =>
  all(
    fc.constant({ name: `pool-${index}`, nodeName: `node-${index}`, backend: { type: 'simulated' } }),
    index === 0 ? maybe('kubeletPort', fc.constant(10_260)) : fc.constant({ kubeletPort: 10_250 + index }),
    maybe('taints', fc.constantFrom([], [{ key: 'example.com/team', effect: 'NoSchedule' }])),
    maybe(
      'servingCertificate',
      fc.boolean().map((approve) => ({ csr: { approve } })),
    ),
  );
const config = all(
  maybe('name', fc.constant('second')),
  fc
    .integer({ min: 1, max: 3 })
    .chain((count) =>
      fc.tuple(...Array.from({ length: count }, (_, index) => pool(index))).map((pools) => ({ pools })),
    ),
  maybe('placement', maybe('enabled', fc.boolean())),
  maybe('observability', maybe('healthPort', fc.constant(9000))),
  maybe(
    'admission',
    all(
      maybe('enabled', fc.boolean()),
      maybe('carrier', fc.constantFrom('auto', 'policy', 'webhook')),
      maybe('port', fc.constant(9444)),
      maybe('serviceName', fc.constant('hooks')),
      maybe('url', fc.constant('https://10.0.0.5:9443')),
    ),
  ),
  maybe('leaderElection', maybe('leaseName', fc.constant('lease'))),
  maybe('link', all(maybe('port', fc.constant(10_271)), maybe('image', fc.constant('registry.example.com/agent:1')))),
);
const options: fc.Arbitrary<Case['options']> = fc.record({
  replicas: fc.constantFrom(1, 2, 3),
  imagePullSecrets: fc.constantFrom([], ['a'], ['a', 'b']),
  nodeSelector: fc.constantFrom<Record<string, string>>({}, { 'kubernetes.io/arch': 'arm64', zone: 'a' }),
  tolerations: fc.constantFrom(
    [],
    [
      { key: 'infra', operator: 'Exists' },
      { key: 'b', operator: 'Equal', value: 'true' },
    ],
  ),
  mounts: fc.constantFrom(
    [],
    [
      { secret: 'a', folder: '/etc/a' },
      { secret: 'b', folder: '/etc/b/c' },
    ],
  ),
  stateClaim: fc.constantFrom(undefined, 'ledger'),
  abilities: fc.record({ mutatingPolicies: fc.boolean(), validatingPolicies: fc.boolean() }),
  linkService: fc.constantFrom<InstallationOptions['linkService']>(
    { type: 'ClusterIP', annotations: {} },
    { type: 'LoadBalancer', annotations: { 'kubernetes.io/elb.class': 'union' } },
  ),
});
const uninstall = fc.record({
  enabled: fc.boolean(),
  keepCrds: fc.boolean(),
  timeoutSeconds: fc.constantFrom(60, 600),
});
/** What the checks of an installation refuse is not compared. */
const isPossible = (each: Case): boolean => {
  const { admission } = parseConfig(stringify(installedConfig(each.config, namespace)), '');
  const carrier = carrierOf({ admission }, each.options.abilities);
  return carrier === 'policy' ? each.options.abilities.mutatingPolicies : admission.enabled;
};
const cases = fc.record({ config, options, uninstall, pods: fc.constantFrom(100, 1000, 5000) }).filter(isPossible);

test('the chart installs what the command line installs, with whatever values', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (each) => {
      expect(comparable(await rendered(valuesOf(each)))).toEqual(comparable(installed(each)));
    }),
    { numRuns: 60, endOnFailure: true },
  );
});

const minimal = {
  config: { pools: [{ name: 'a', nodeName: 'vk', backend: { type: 'simulated' } }] },
  image: { repository: 'registry.example.com/spillway' },
};

test('helm lint finds nothing', async () => {
  expect(await withValues(minimal, 'lint', '--strict')).toContain('0 chart(s) failed');
});

const kinds = async (values: object): Promise<unknown[]> => (await rendered(values)).map(({ kind }) => kind);

test('the definition of ScheduleProfiles can be left to another installation', async () => {
  expect(await kinds(minimal)).toContain('CustomResourceDefinition');
  expect(await kinds({ ...minimal, crd: { install: false } })).not.toContain('CustomResourceDefinition');
});

test('an image is pinned by its digest', async () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const objects = await rendered({ ...minimal, image: { ...minimal.image, digest } });
  expect(JSON.stringify(objects)).toContain(`"image":"registry.example.com/spillway@${digest}"`);
});

test.each<[string, object, RegExp]>([
  ['a configuration is needed', { image: minimal.image }, /pools/],
  ['a field that is not known', { ...minimal, config: { ...minimal.config, polls: [] } }, /polls/],
  ['a value that is not known', { ...minimal, replica: 2 }, /replica/],
  ['too many replicas', { ...minimal, replicas: 9 }, /replicas/],
  [
    'an address of pods',
    {
      ...minimal,
      config: { pools: [{ name: 'a', nodeName: 'vk', address: '10.0.0.1', backend: { type: 'simulated' } }] },
    },
    /config\.pools\[0\]\.address: the address is that of the pod/,
  ],
  [
    'a kubeconfig',
    { ...minimal, config: { ...minimal.config, kubernetes: { kubeconfig: '/a' } } },
    /config\.kubernetes: in the cluster, Spillway is the ServiceAccount/,
  ],
])('what cannot work is refused with what it is: %s', async (_, values, message) => {
  expect(await failure(values)).toMatch(message);
});
