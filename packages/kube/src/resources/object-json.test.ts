import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { parseObject } from './object-json.ts';

const managedFields = [
  {
    manager: 'a "quoted" ]},"spec":{ manager',
    operation: 'Update',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'k:{"name":"main"}': { '.': {}, 'v:"]},\\"spec\\":"': {} } } },
  },
];
const metadata = { name: 'web', uid: 'u', annotations: { text: ',"managedFields":[ ]},"spec":' } };

it('an object is what it was, without managedFields, in the order in which the API server writes built-in kinds', () => {
  const pod = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { ...metadata, managedFields },
    spec: { containers: [] },
    status: {},
  };
  expect(parseObject(JSON.stringify(pod))).toEqual({ ...pod, metadata });
});

it('and in that of custom resources, or with what somebody has added to the metadata behind them', () => {
  const { name, uid, annotations } = metadata;
  const profile = {
    apiVersion: 'x.io/v1',
    kind: 'Profile',
    metadata: { annotations, managedFields, name, uid },
    params: { list: [1] },
    spec: { template: { metadata: { finalizers: ['a'] }, spec: {} } },
  };
  expect(parseObject(JSON.stringify(profile))).toEqual({ ...profile, metadata });
  const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a'] };
  const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { ...metadata, managedFields, ...deleted }, spec: {} };
  expect(parseObject(JSON.stringify(pod))).toEqual({ ...pod, metadata: { ...metadata, ...deleted } });
});

it('what is no JSON is refused', () => {
  expect(() => parseObject('{"metadata":{"uid":"u","managedFields":[]},"spec":')).toThrow(SyntaxError);
});

const text = fc.oneof(fc.string(), fc.constantFrom(',"managedFields":[', ']},"spec":', ']},', '\\'));
const part = fc.dictionary(
  fc.constantFrom('annotations', 'finalizers', 'spec'),
  fc.oneof(text, fc.array(text), fc.dictionary(fc.constantFrom('spec', 'x'), fc.array(text))),
);
const sections = fc.dictionary(fc.constantFrom('a', 'data', 'spec', 'status', 'template'), part);
const entry = fc.dictionary(text, fc.oneof(text, fc.dictionary(text, fc.dictionary(text, fc.constant({})))));
test.prop([part, part, sections, fc.array(entry)])(
  'whatever the names of managers, annotations and the rest contain, and whatever comes before and after them',
  (before, after, rest, entries) => {
    const { managedFields: _, ...kept } = { ...before, managedFields: entries, ...after };
    const object = { kind: 'Pod', metadata: { ...before, managedFields: entries, ...after }, ...rest };
    expect(parseObject(JSON.stringify(object))).toEqual({ ...object, metadata: kept });
  },
);
