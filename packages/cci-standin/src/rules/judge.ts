import { at, isObject, listAt, objectAt, textAt } from '../json.ts';
import { apiRefusal, type Refusal } from '../refusal.ts';
import type { Call, Facts, RuleOptions } from './call.ts';
import { importMistake, unbindingMistake, volumeMistake } from './claims.ts';
import { fieldMistake } from './pod-fields.ts';
import { sizeMistake } from './pod-size.ts';
import { sizeOf } from './pod-size-v2.ts';
import { storedGroupVersion, type Route } from './routes.ts';

type Rule = (call: Call, facts: Facts, options: RuleOptions) => Refusal | undefined;

/** Whether a call may go to the API server. The first rule that refuses it answers. */
export function judge(call: Call, facts: Facts, options: RuleOptions): Refusal | undefined {
  for (const rule of rules) {
    const refusal = rule(call, facts, options);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

const patchTypes = ['application/merge-patch+json', 'application/strategic-merge-patch+json'];

const mediaType: Rule = ({ method, contentType, hasBody, body }) => {
  const allowed = method === 'PATCH' ? patchTypes : ['application/json', ''];
  if ((hasBody || method === 'PATCH') && !allowed.includes(contentType)) {
    return apiRefusal(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${allowed.filter(Boolean).join(', ')}`,
    );
  }
  return hasBody && body === undefined
    ? apiRefusal(400, 'BadRequest', 'the body of the request is no JSON')
    : undefined;
};

function isOfV2({ groupVersion }: Route): boolean {
  return storedGroupVersion(groupVersion) !== undefined;
}

/** An API server would say the same of its own groups. */
const apiVersion: Rule = ({ method, route, body }) => {
  if (!isOfV2(route) || route.subresource !== undefined || (method !== 'POST' && method !== 'PUT')) return undefined;
  const given = textAt(body, 'apiVersion') ?? '';
  return given === route.groupVersion
    ? undefined
    : apiRefusal(
        400,
        'BadRequest',
        `the API version in the data (${given}) does not match the expected API version (${route.groupVersion})`,
      );
};

const frozen: Rule = ({ method }, { standing }) =>
  standing.frozen && method !== 'GET'
    ? apiRefusal(403, 'Forbidden', 'your account has been frozen, please contact customer service', 'CCI.01.403010')
    : undefined;

/** What exists can still be looked at and removed. */
const arrears: Rule = ({ method, route }, { standing }) =>
  standing.arrears && method !== 'GET' && method !== 'DELETE' && route.subresource !== 'exec'
    ? apiRefusal(403, 'Forbidden', 'your account is in arrears, please recharge', 'CCI.01.403009')
    : undefined;

const agency: Rule = (_call, { standing }) =>
  standing.agency
    ? undefined
    : apiRefusal(401, 'Unauthorized', 'no agency: CCI is not authorized to access your resources', 'CCI.01.401102');

/** Also for namespaces of the region itself, which no project has. */
const ownNamespace: Rule = ({ route, method, identity }, { namespaceProject }) => {
  const { resource, name } = route;
  const namespace = resource === 'namespaces' ? name : route.namespace;
  if (namespace === undefined || namespaceProject === identity.project.id) return undefined;
  if (namespaceProject === undefined) {
    return apiRefusal(404, 'NotFound', `namespaces "${namespace}" not found`);
  }
  const what = name === undefined || resource === 'namespaces' ? resource : `${resource} "${name}"`;
  return apiRefusal(
    403,
    'Forbidden',
    `${what} is forbidden: User "${identity.user.name}" cannot ${method} in the namespace "${namespace}"`,
    'CCI.01.403104',
  );
};

/** Volumes are in no namespace, and everybody has only their own. */
const ownVolume: Rule = ({ route, identity }, { volumeProject }) =>
  route.resource !== 'persistentvolumes' || route.name === undefined || volumeProject === identity.project.id
    ? undefined
    : apiRefusal(404, 'NotFound', `persistentvolumes "${route.name}" not found`);

const namespaceList: Rule = ({ method, route, query }, _facts, { namespaceListNeedsSelector }) => {
  if (isOfV2(route)) return undefined;
  if (route.resource !== 'namespaces' || route.name !== undefined || method !== 'GET') return undefined;
  if (!namespaceListNeedsSelector || /(^|,)metadata\.name==?[^,]+/.test(query.get('fieldSelector') ?? ''))
    return undefined;
  return apiRefusal(400, 'BadRequest', 'fieldSelector metadata.name is needed to list namespaces', 'CCI.01.400105');
};

/** Only one namespace can be watched at a time. */
const watchEverywhere: Rule = ({ route, query }) =>
  route.resource === 'pods' && route.namespace === undefined && ['1', 'true'].includes(query.get('watch') ?? '')
    ? apiRefusal(405, 'MethodNotAllowed', 'the server does not allow to watch the pods of all namespaces')
    : undefined;

const flavorKey = 'namespace.kubernetes.io/flavor';
const flavors: readonly unknown[] = ['general-computing', 'gpu-accelerated'];

const newNamespace: Rule = ({ method, route, body }, facts, { namespaceQuota }) => {
  if (method !== 'POST' || route.resource !== 'namespaces') return undefined;
  const name = textAt(body, 'metadata', 'name') ?? '';
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
    return apiRefusal(400, 'BadRequest', `namespace name "${name}" is invalid`, 'CCI.02.400109');
  }
  const withoutFlavor = isOfV2(route) ? undefined : flavorMistake(body);
  if (withoutFlavor !== undefined) return withoutFlavor;
  // Names are global: another account may have this one.
  if (facts.namespaceProject !== undefined) {
    return apiRefusal(409, 'Conflict', 'namespace name is already exist', 'CCI.02.409101');
  }
  return facts.ownNamespaces >= namespaceQuota
    ? apiRefusal(400, 'BadRequest', `namespace quota exceeded: the limit is ${namespaceQuota}`, 'CCI.02.400106')
    : undefined;
};

function flavorMistake(namespace: unknown): Refusal | undefined {
  const flavor = objectAt(namespace, 'metadata', 'annotations')[flavorKey];
  if (flavor === undefined) {
    return apiRefusal(400, 'BadRequest', `annotation ${flavorKey} is required`, 'CCI.02.400110');
  }
  return flavors.includes(flavor)
    ? undefined
    : apiRefusal(400, 'BadRequest', `namespace flavor ${JSON.stringify(flavor)} is invalid`, 'CCI.02.400111');
}

const newNetwork: Rule = ({ method, route, body, hasUserToken }, { networkStates }, { networkNeedsUserToken }) => {
  if (method !== 'POST' || route.resource !== 'networks') return undefined;
  if (networkNeedsUserToken && !hasUserToken) {
    return apiRefusal(400, 'BadRequest', 'X-User-Token is missing in the request header', 'CCI.01.400103');
  }
  const incomplete = isOfV2(route) ? networkMistakeOfV2(body) : networkMistake(body);
  if (incomplete !== undefined) return incomplete;
  if (at(body, 'spec', 'networkType') !== 'underlay_neutron') {
    return apiRefusal(422, 'Invalid', 'spec[networkType]: Unsupported value: supported values: "underlay_neutron"');
  }
  return networkStates.length > 0
    ? apiRefusal(409, 'Conflict', `namespace ${route.namespace ?? ''} has a network already`)
    : undefined;
};

function networkMistake(network: unknown): Refusal | undefined {
  const annotations = objectAt(network, 'metadata', 'annotations');
  if (!annotations['network.alpha.kubernetes.io/default-security-group']) {
    return apiRefusal(400, 'BadRequest', 'securitygroup can not be empty');
  }
  const missing = ['attachedVPC', 'networkID', 'subnetID'].find((field) => !textAt(network, 'spec', field));
  return missing === undefined ? undefined : apiRefusal(422, 'Invalid', `spec[${missing}]: Required value`);
}

function networkMistakeOfV2(network: unknown): Refusal | undefined {
  if (listAt(network, 'spec', 'securityGroups').length === 0) {
    return apiRefusal(400, 'BadRequest', 'securitygroup can not be empty');
  }
  const subnets = listAt(network, 'spec', 'subnets');
  return subnets.length > 0 && subnets.every((subnet) => textAt(subnet, 'subnetID'))
    ? undefined
    : apiRefusal(422, 'Invalid', 'spec[subnets]: Required value');
}

/** In whose template or spec a new pod is described; undefined for calls that describe none. */
function podSpecOf({ method, route, body }: Call): { readonly spec: unknown } | undefined {
  if (route.subresource !== undefined || (method !== 'POST' && method !== 'PUT')) return undefined;
  // A pod that is replaced has all that the region has put into it.
  if (route.resource === 'pods') return method === 'POST' ? { spec: at(body, 'spec') } : undefined;
  if (!['deployments', 'statefulsets', 'replicasets', 'jobs'].includes(route.resource) || method !== 'POST') {
    return undefined;
  }
  return { spec: at(body, 'spec', 'template', 'spec') };
}

const newPod: Rule = (call, { networkStates }) => {
  const pod = podSpecOf(call);
  if (pod === undefined) return undefined;
  const mistake = isOfV2(call.route) ? podMistakeOfV2(call.body) : (fieldMistake(pod.spec, 1) ?? sizeMistake(pod.spec));
  if (mistake !== undefined) return apiRefusal(400, 'BadRequest', mistake);
  return networkStates.includes('Active')
    ? undefined
    : apiRefusal(403, 'Forbidden', `namespace ${call.route.namespace ?? ''} has no network that is Active`);
};

function podMistakeOfV2(pod: unknown): string | undefined {
  const { metadata, spec } = objectAt({ pod }, 'pod');
  const wrong = fieldMistake(spec, 2);
  if (wrong !== undefined) return wrong;
  const size = sizeOf(metadata, spec);
  return 'mistake' in size ? size.mistake : undefined;
}

const claimMistakes: ReadonlyMap<string, (object: unknown) => Refusal | undefined> = new Map([
  ['extended-persistentvolumeclaims', importMistake],
  ['persistentvolumes', volumeMistake],
]);

const newClaim: Rule = ({ method, route, body }) =>
  method === 'POST' ? claimMistakes.get(route.resource)?.(body) : undefined;

/** Who deletes a claim says whether its storage stays: if not, it goes. */
const unbinding: Rule = ({ method, route, query }) =>
  method === 'DELETE' && route.resource === 'persistentvolumeclaims' ? unbindingMistake(query) : undefined;

const changeable = new Set(['name', 'image', '$setElementOrder/containers']);

/** Of a pod only labels, annotations and images change. */
const podPatch: Rule = ({ method, route, body }) => {
  if (method !== 'PATCH' || route.resource !== 'pods') return undefined;
  const { metadata, spec, apiVersion: _version, kind: _kind, ...others } = objectAt({ body }, 'body');
  const {
    labels: _labels,
    annotations: _annotations,
    name: _name,
    uid: _uid,
    resourceVersion: _rv,
    ...rest
  } = objectAt({ metadata }, 'metadata');
  const { containers: _containers, initContainers: _init, ...restOfSpec } = objectAt({ spec }, 'spec');
  const orders = Object.keys(restOfSpec).filter((key) => !key.startsWith('$setElementOrder/'));
  const inContainers = [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')]
    .filter(isObject)
    .flatMap((container) => Object.keys(container).filter((key) => !changeable.has(key)));
  const wrong = [
    ...Object.keys(others),
    ...Object.keys(rest).map((key) => `metadata.${key}`),
    ...orders.map((key) => `spec.${key}`),
    ...inContainers.map((key) => `spec.containers[].${key}`),
  ];
  return wrong[0] === undefined
    ? undefined
    : apiRefusal(
        422,
        'Invalid',
        `${wrong[0]}: Forbidden: pod updates may not change fields other than images, labels and annotations`,
      );
};

const rules: readonly Rule[] = [
  mediaType,
  apiVersion,
  agency,
  frozen,
  arrears,
  namespaceList,
  watchEverywhere,
  ownNamespace,
  ownVolume,
  newNamespace,
  newNetwork,
  newClaim,
  unbinding,
  newPod,
  podPatch,
];
