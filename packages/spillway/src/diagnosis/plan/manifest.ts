import type { KubeObject } from '@spillway/kube';
import { type Document, isNode, LineCounter, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { at } from '../../placement/admitted.ts';
import { podRules, templatePaths, workloadRules } from '../../placement/rules.ts';

/** A file is no manifest. The message has one line for each problem: `FILE:LINE: what, and what is allowed`. */
export class ManifestError extends Error {
  override readonly name: string = 'ManifestError';
}

// Only what is read here; the API server checks the rest.
const texts = z.record(z.string(), z.string('must be a text: write it in quotes')).optional();
const objects = z.array(z.looseObject({})).optional();
const metadata = z.looseObject({
  name: z.string().optional(),
  namespace: z.string().optional(),
  labels: texts,
  annotations: texts,
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
const anyObject = z.looseObject({
  apiVersion: z.string('is missing: an object needs apiVersion and kind'),
  kind: z.string('is missing: an object needs apiVersion and kind'),
  metadata: metadata.optional(),
});
const pod = z.looseObject({ spec: podSpec });

/** What the kinds must be, from the place of their pod template. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  Pod: pod,
  ...Object.fromEntries(Object.entries(templatePaths).map(([kind, path]) => [kind, templateAt(path)])),
};

function templateAt([first = '', ...rest]: readonly string[]): z.ZodType {
  if (rest.length === 0) return z.looseObject({ [first]: pod.extend({ metadata: metadata.optional() }) });
  return z.looseObject({ [first]: templateAt(rest).and(z.looseObject({ replicas: count, parallelism: count })) });
}

/** The kinds of which admission looks at the pods. */
export function makesPods({ apiVersion, kind = '' }: KubeObject): boolean {
  return [podRules, ...workloadRules].some(
    ({ target: { apiGroup, kinds } }) =>
      kinds.includes(kind) && apiVersion === (apiGroup === '' ? 'v1' : `${apiGroup}/v1`),
  );
}

/**
 * The objects of a manifest: several documents, lists of any kind included. Read as kubectl reads it, where `off` without
 * quotes is no text.
 *
 * @param file only for messages
 * @throws ManifestError
 */
export function parseManifest(text: string, file: string): KubeObject[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { version: '1.1', lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  const place = (offset = 0): string => `${file}:${lines.linePos(offset).line}`;
  const errors = documents.flatMap((document) => document.errors);
  if (errors.length > 0) {
    throw new ManifestError(
      errors.map(({ pos, message }) => `${place(pos[0])}: not valid YAML: ${message}`).join('\n'),
    );
  }
  return documents.flatMap((document) => {
    const start = (path: readonly PropertyKey[]): string => place(offsetOf(document, path));
    return objectsIn(contentOf(document, start([])), [], start);
  });
}

function contentOf(document: Document.Parsed, place: string): unknown {
  try {
    return withoutNulls(document.toJS());
  } catch (cause) {
    throw new ManifestError(`${place}: not usable: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function objectsIn(
  value: unknown,
  path: readonly PropertyKey[],
  place: (path: readonly PropertyKey[]) => string,
): KubeObject[] {
  // An empty document, e.g. after the last `---`.
  if (value === null || value === undefined) return [];
  check(anyObject, value, path, place);
  const object = at<KubeObject & { items?: unknown }>(value, []) ?? {};
  if (object.kind?.endsWith('List') && Array.isArray(object.items)) {
    return object.items.flatMap((item: unknown, index) => objectsIn(item, [...path, 'items', index], place));
  }
  const schema = makesPods(object) ? schemas[object.kind ?? ''] : undefined;
  if (schema) check(schema, value, path, place);
  return [object];
}

function check(
  schema: z.ZodType,
  value: unknown,
  path: readonly PropertyKey[],
  place: (path: readonly PropertyKey[]) => string,
): void {
  const { error } = schema.safeParse(value);
  if (!error) return;
  const problems = error.issues.map((issue) => {
    const field = [...path, ...issue.path];
    return `${place(field)}: ${field.length === 0 ? '' : `${field.map(String).join('.')}: `}${issue.message}`;
  });
  throw new ManifestError(problems.join('\n'));
}

/** Of the field, or of the nearest one around it that is there. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** A field without a value is not there, as for the API server. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return Object.fromEntries(fields.map(([key, field]) => [key, withoutNulls(field)]));
}
