import type { KubeObject, PodTemplateSpec, PolicyRule } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { configOf, namespace, simulatedPool, usualOptions } from '../testing/installations.ts';
import { restrictedViolations } from '../testing/pod-security.ts';
import { installationObjects } from './installation.ts';
import { removalHook } from './removal-hook.ts';

interface HookObject extends KubeObject {
  readonly rules?: readonly PolicyRule[];
  readonly spec?: { readonly template: PodTemplateSpec };
}

const options = { ...usualOptions, ownsNamespace: false };
const linked = `${simulatedPool}link: {image: "registry.example.com/agent:1"}\n`;

function hook(keepCrds = false, written = linked): readonly HookObject[] {
  const installed = configOf(written);
  const mounts = [{ secret: 'login', folder: '/etc/spillway/cci' }];
  return removalHook(
    installed.config,
    { ...options, keepCrds, timeoutSeconds: 600 },
    { configMapName: 'spillway-config', mounts, files: [] },
    installationObjects(installed, options),
  );
}

const rulesOf = (objects: readonly HookObject[]): readonly PolicyRule[] => objects.flatMap(({ rules = [] }) => rules);

const removable = (object: KubeObject): boolean =>
  hook().some(
    ({ rules = [], metadata }) =>
      metadata?.namespace === object.metadata?.namespace &&
      rules.some(
        ({ resources = [], resourceNames = [], verbs }) =>
          verbs.includes('delete') &&
          resourceNames.includes(object.metadata?.name ?? '') &&
          resources.some((plural) => plural.replace(/ies$/, 'ys').startsWith((object.kind ?? '').toLowerCase())),
      ),
  );

const crds = (keepCrds: boolean): readonly string[] =>
  rulesOf(hook(keepCrds))
    .filter(({ resources = [] }) => resources.some((each) => /customresource|profiles/.test(each)))
    .flatMap(({ verbs }) => verbs);

describe('what Helm runs before it removes a release', () => {
  const pod = hook().at(-1)?.spec?.template.spec;

  it('is a pod that "restricted" lets in, on a real node, with the configuration and the Secrets of the others', () => {
    expect(pod && restrictedViolations(pod)).toEqual([]);
    expect(JSON.stringify(pod?.affinity)).toContain('"operator":"NotIn","values":["virtual-kubelet"]');
    const folders = pod?.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath);
    expect(folders).toEqual(expect.arrayContaining(['/etc/spillway/config.yaml', '/etc/spillway/cci']));
  });

  it('is there only for this: it comes and goes with the hook, its rights before it', () => {
    const weights = hook().map(({ metadata }) => Number(metadata?.annotations?.['helm.sh/hook-weight']));
    expect(weights).toEqual(weights.toSorted((a, b) => a - b));
    for (const { metadata } of hook()) {
      expect(metadata?.annotations).toMatchObject({
        'helm.sh/hook': 'pre-delete',
        'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
      });
    }
  });

  it('is nobody whom the uninstall itself would remove', () => {
    for (const { metadata } of hook()) expect(metadata?.labels?.['app.kubernetes.io/name']).not.toBe('spillway');
  });

  it('may do nothing to whatever there is, and reads no Secrets but its own', () => {
    const rules = rulesOf(hook());
    expect(JSON.stringify(rules)).not.toContain('*');
    expect(rules.filter(({ resources }) => resources?.includes('secrets'))).toEqual([
      expect.objectContaining({
        verbs: ['get', 'delete'],
        resourceNames: ['spillway-admission-authority', 'spillway-link-authority', 'spillway-files'],
      }),
    ]);
  });

  it('changes only what the installation has, by its names; pods, certificate requests, profiles and new leases have names of others', () => {
    const changing = rulesOf(hook()).filter(({ verbs }) => verbs.some((verb) => !['get', 'list'].includes(verb)));
    const anyName = changing.filter(({ resourceNames = [] }) => resourceNames.length === 0);
    expect(anyName.map(({ resources }) => resources)).toEqual([
      ['pods'],
      ['certificatesigningrequests'],
      ['scheduleprofiles'],
      ['leases'],
    ]);
  });

  it('may remove each object of the installation', () => {
    const objects = installationObjects(configOf(linked), options);
    expect(objects.filter((object) => !removable(object)).map(({ kind }) => kind)).toEqual([]);
  });

  it('may not remove the definition of ScheduleProfiles when that is kept', () => {
    expect(crds(true)).not.toContain('delete');
    expect(crds(false)).toContain('delete');
  });

  it('stays in the namespaces of the installation', () => {
    const places = new Set(hook().map(({ metadata }) => metadata?.namespace));
    expect(places).toEqual(new Set([undefined, namespace, 'kube-system', 'kube-node-lease']));
  });
});
