import { describe, expect, test } from 'vitest';
import { generateTypes, type GroupVersionKind, type OpenApiDocument, type Schema } from './openapi-types.ts';

const document = (schemas: Record<string, Schema>, paths: OpenApiDocument['paths'] = {}): OpenApiDocument => ({
  components: { schemas },
  paths,
});
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const time = { [`${meta}.Time`]: { type: 'string', format: 'date-time' } };

describe('types', () => {
  test('are the JSON that the server writes: text for times, quantities and bytes, number or text for ports', () => {
    const files = generateTypes([
      document({
        ...time,
        'io.k8s.apimachinery.pkg.api.resource.Quantity': { oneOf: [{ type: 'string' }, { type: 'number' }] },
        'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { oneOf: [{ type: 'integer' }, { type: 'string' }] },
        'io.k8s.api.core.v1.Thing': {
          description: 'Thing is a thing, e.g. one. It has more to say.',
          required: ['name'],
          properties: {
            name: { type: 'string', description: 'The name.' },
            at: { allOf: [ref(`${meta}.Time`)], description: 'A comment that ends */ early' },
            size: ref('io.k8s.apimachinery.pkg.api.resource.Quantity'),
            port: ref('io.k8s.apimachinery.pkg.util.intstr.IntOrString'),
            ports: { type: 'array', items: { type: 'integer' } },
            data: { type: 'object', additionalProperties: { type: 'string', format: 'byte' } },
            free: { type: 'object' },
            '$odd-name': { type: 'boolean' },
          },
        },
      }),
    ]);
    expect(files.get('core-v1.ts')).toContain(`import type { IntOrString, Quantity, Time } from './meta.ts';

/** Thing is a thing, e.g. one. */
export interface Thing {
  /** The name. */
  name: string;
  /** A comment that ends *\\/ early */
  at?: Time;
  size?: Quantity;
  port?: IntOrString;
  ports?: number[];
  data?: { [key: string]: string };
  free?: { [key: string]: unknown };
  '$odd-name'?: boolean;
}
`);
    expect(files.get('meta.ts')).toContain('export type IntOrString = number | string;');
    expect(files.get('index.ts')).toContain("export type * from './core-v1.ts';");
  });

  test('of the same name in two groups need a decision', () => {
    const schemas = { 'io.k8s.api.core.v1.Clash': { properties: {} }, 'io.k8s.api.apps.v1.Clash': { properties: {} } };
    expect(() => generateTypes([document(schemas)])).toThrow(/would both be called Clash: give one of them a name/);
  });

  test('that no document defines are noticed', () => {
    const schemas = { 'io.k8s.api.core.v1.A': { properties: { b: ref('io.k8s.api.core.v1.B') } } };
    expect(() => generateTypes([document(schemas)])).toThrow(/core-v1 refers to io\.k8s\.api\.core\.v1\.B/);
  });
});

const gvk = (kind: string): GroupVersionKind => ({ group: 'x.k8s.io', version: 'v1', kind });
const collection = (kind: string): Record<string, object> => ({
  post: { 'x-kubernetes-action': 'post', 'x-kubernetes-group-version-kind': gvk(kind) },
});
const schema = (kind: string): Schema => ({ properties: {}, 'x-kubernetes-group-version-kind': [gvk(kind)] });

test('resources are named as their kinds are spelled, with their scope', () => {
  const files = generateTypes([
    document(
      {
        'io.k8s.api.x.v1.CSIDriver': schema('CSIDriver'),
        'io.k8s.api.x.v1.NetworkPolicy': schema('NetworkPolicy'),
      },
      {
        '/apis/x.k8s.io/v1/csidrivers': collection('CSIDriver'),
        '/apis/x.k8s.io/v1/csidrivers/{name}': collection('CSIDriver'),
        '/apis/x.k8s.io/v1/networkpolicies': { get: { 'x-kubernetes-action': 'list' } },
        '/apis/x.k8s.io/v1/namespaces/{namespace}/networkpolicies': collection('NetworkPolicy'),
        '/apis/x.k8s.io/v1/namespaces/{namespace}/networkpolicies/{name}/status': collection('NetworkPolicy'),
      },
    ),
  ]);
  const text = files.get('resources.ts') ?? '';
  expect(text.match(/^export const .*$/gm)).toEqual([
    'export const csiDrivers: ResourceType<CSIDriver> = {',
    'export const networkPolicies: ResourceType<NetworkPolicy> = {',
  ]);
  expect(text).toContain(
    "  apiVersion: 'x.k8s.io/v1',\n  kind: 'NetworkPolicy',\n  plural: 'networkpolicies',\n  namespaced: true,",
  );
  expect(files.get('x-v1.ts')).toContain('export interface CSIDriver {');
});
