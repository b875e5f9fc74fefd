import type { KubeObject, PersistentVolume } from '@spillway/kube';
import { z } from 'zod';
import { check, mistakeText } from '../../podspec/mistakes.ts';
import { podRules, templatePaths, workloadRules } from './rules.ts';

// Only what is read here; the API server checks the rest.
const texts = z.record(z.string(), z.string('must be text in quotes')).optional();
const objects = z.array(z.looseObject({})).optional();
const metadata = z.looseObject({
  name: z.string().optional(),
  namespace: z.string().optional(),
  labels: texts,
  annotations: texts,
  ownerReferences: objects,
});
// Quantities may be anything: sizing refuses those that are none.
const quantities = z.record(z.string(), z.unknown()).optional();
const resources = z.looseObject({ requests: quantities, limits: quantities, claims: objects }).optional();
const container = z.looseObject({
  name: z.string(),
  resources,
  env: objects,
  envFrom: objects,
  ports: objects,
  volumeMounts: objects,
  volumeDevices: objects,
  command: z.array(z.unknown()).optional(),
  args: z.array(z.unknown()).optional(),
});
const terms = z
  .looseObject({
    requiredDuringSchedulingIgnoredDuringExecution: z.array(z.looseObject({ topologyKey: z.string() })).optional(),
  })
  .optional();
const expressions = z
  .array(z.looseObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
  .optional();
const nodeSelector = z.looseObject({
  nodeSelectorTerms: z.array(z.looseObject({ matchExpressions: expressions, matchFields: expressions })),
});
const podSpec = z.looseObject({
  containers: z.array(container),
  initContainers: z.array(container).optional(),
  ephemeralContainers: objects,
  resources,
  overhead: quantities,
  nodeSelector: texts,
  nodeName: z.string().optional(),
  schedulerName: z.string().optional(),
  tolerations: objects,
  volumes: objects,
  schedulingGates: objects,
  resourceClaims: objects,
  imagePullSecrets: objects,
  hostAliases: objects,
  topologySpreadConstraints: z.array(z.looseObject({ topologyKey: z.string() })).optional(),
  affinity: z
    .looseObject({
      nodeAffinity: z
        .looseObject({ requiredDuringSchedulingIgnoredDuringExecution: nodeSelector.optional() })
        .optional(),
      podAffinity: terms,
      podAntiAffinity: terms,
    })
    .optional(),
});
const count = z.int().min(0).optional();
/** A claim, or what a StatefulSet makes claims from. */
const claim = z.looseObject({
  metadata: metadata.optional(),
  spec: z.looseObject({ storageClassName: z.string().optional(), volumeName: z.string().optional() }).optional(),
});
const volume = z.looseObject({
  spec: z
    .looseObject({
      csi: z.looseObject({ driver: z.string(), volumeHandle: z.string(), volumeAttributes: texts }).optional(),
      flexVolume: z.looseObject({ driver: z.string() }).optional(),
    })
    .optional(),
});
const counts = z.looseObject({
  replicas: count,
  parallelism: count,
  volumeClaimTemplates: z.array(claim).optional(),
  ordinals: z.looseObject({ start: count }).optional(),
});
export const anyObject: z.ZodType = z.looseObject({
  apiVersion: z.string('is missing: an object needs apiVersion and kind'),
  kind: z.string('is missing: an object needs apiVersion and kind'),
  metadata: metadata.optional(),
});
const pod = z.looseObject({ spec: podSpec });

/** What the kinds must be, from the place of their pod template. */
export const shapes: ReadonlyMap<string, z.ZodType> = new Map([
  ['Pod', pod],
  ['PersistentVolumeClaim', claim],
  ['PersistentVolume', volume],
  ...[...templatePaths].map(([kind, path]) => [kind, templateAt(path)] as const),
]);

function templateAt([first = '', ...rest]: readonly string[]): z.ZodType {
  if (rest.length === 0) return z.looseObject({ [first]: pod.extend({ metadata: metadata.optional() }) });
  return z.looseObject({ [first]: templateAt(rest).and(counts) });
}

/** The kinds of which admission looks at the pods. */
export function makesPods({ apiVersion, kind = '' }: KubeObject): boolean {
  return [podRules, ...workloadRules].some(
    ({ target: { apiGroup, kinds } }) =>
      kinds.includes(kind) && apiVersion === (apiGroup === '' ? 'v1' : `${apiGroup}/v1`),
  );
}

export function isClaim({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && kind === 'PersistentVolumeClaim';
}

export function isVolume(object: KubeObject): object is PersistentVolume {
  return object.apiVersion === 'v1' && object.kind === 'PersistentVolume';
}

/** Where an object that nobody has checked is none of its kind; undefined: as far as it is read here, it is. */
export function shapeProblem(object: KubeObject): string | undefined {
  const shape = shapes.get(object.kind ?? '');
  const whole = z.looseObject({ metadata: metadata.optional() });
  const checked = check<unknown>(shape === undefined ? whole : whole.and(shape), object);
  return 'data' in checked ? undefined : mistakeText(checked.mistakes);
}
