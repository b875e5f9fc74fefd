import type { CustomResourceDefinition, JSONSchemaProps } from '@spillway/kube';
import { virtualNodeType } from '../../podspec/contract.ts';
import { productLabels } from '../../podspec/installation.ts';
import { scheduleProfiles } from './schedule-profile.ts';

const [group = '', version = ''] = scheduleProfiles.apiVersion.split('/');

const location = (description: string): JSONSchemaProps => ({
  type: 'object',
  description,
  properties: {
    maxNum: { type: 'integer', format: 'int32', minimum: 0, description: 'How many of the pods may run there.' },
    scaleDownPriority: {
      type: 'integer',
      format: 'int32',
      description: 'Pods of the place with the higher number are scaled in first.',
    },
  },
});

const side = (description: string): JSONSchemaProps => ({
  type: 'object',
  description,
  properties: { pods: { type: 'integer', format: 'int32', minimum: 0 } },
});

const spec: JSONSchemaProps = {
  type: 'object',
  required: ['objectLabels', 'strategy'],
  properties: {
    objectLabels: {
      type: 'object',
      description:
        'The pods of the namespace to which the profile applies. A burst label of the pod itself takes precedence.',
      required: ['matchLabels'],
      properties: {
        matchLabels: {
          type: 'object',
          description: 'A pod matches when it has all of these labels.',
          minProperties: 1,
          maxProperties: 32,
          additionalProperties: { type: 'string', maxLength: 63 },
        },
      },
    },
    strategy: { type: 'string', enum: ['auto', 'localPrefer', 'enforce'] },
    virtualNodes: {
      type: 'array',
      description: 'Kinds of virtual nodes. Default: any.',
      maxItems: 16,
      items: {
        type: 'object',
        required: ['type'],
        properties: { type: { type: 'string', minLength: 1, maxLength: 63 } },
      },
    },
    location: {
      type: 'object',
      description: `Limits and the order of scale-in, for real nodes (local) and for nodes of type ${virtualNodeType.value} (cci).`,
      properties: { local: location('On real nodes.'), cci: location('On virtual nodes.') },
    },
  },
  'x-kubernetes-validations': [
    {
      rule: `self.strategy != 'enforce' || !has(self.location) || !has(self.location.local) || !has(self.location.local.maxNum)`,
      message: 'with strategy enforce no pod runs locally: remove location.local.maxNum, or use localPrefer',
      fieldPath: '.location.local',
    },
  ],
};

const status: JSONSchemaProps = {
  type: 'object',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64' },
    local: side('Pods on real nodes.'),
    cci: side('Pods on virtual nodes.'),
    waiting: side('Gated pods for which neither side has a free place.'),
    uncounted: side('Pods without the gate: admission was bypassed, or the profile is younger than they are.'),
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
        properties: {
          type: { type: 'string', maxLength: 316 },
          status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
          observedGeneration: { type: 'integer', format: 'int64' },
          lastTransitionTime: { type: 'string', format: 'date-time' },
          reason: { type: 'string', maxLength: 1024 },
          message: { type: 'string', maxLength: 32_768 },
        },
      },
    },
  },
};

export const scheduleProfileCrd: CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `${scheduleProfiles.plural}.${group}`,
    labels: { ...productLabels },
  },
  spec: {
    group,
    scope: 'Namespaced',
    names: {
      kind: scheduleProfiles.kind,
      listKind: `${scheduleProfiles.kind}List`,
      plural: scheduleProfiles.plural,
      singular: 'scheduleprofile',
    },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', required: ['spec'], properties: { spec, status } } },
        additionalPrinterColumns: [
          { name: 'Strategy', type: 'string', jsonPath: '.spec.strategy' },
          { name: 'Local', type: 'integer', jsonPath: '.status.local.pods' },
          { name: 'Max-Local', type: 'integer', jsonPath: '.spec.location.local.maxNum' },
          { name: 'CCI', type: 'integer', jsonPath: '.status.cci.pods' },
          { name: 'Max-CCI', type: 'integer', jsonPath: '.spec.location.cci.maxNum' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
      },
    ],
  },
};
