import { at, isObject, listAt, textAt, type JsonObject } from '../json.ts';

/** The fields of a PodSpec that CCI takes. What is not here would be chosen by CCI itself, or came with a later Kubernetes. */
const podFields = new Set([
  'activeDeadlineSeconds',
  'automountServiceAccountToken',
  'containers',
  'dnsConfig',
  'dnsPolicy',
  'enableServiceLinks',
  'hostAliases',
  'hostname',
  'imagePullSecrets',
  'initContainers',
  'readinessGates',
  'restartPolicy',
  'securityContext',
  'setHostnameAsFQDN',
  'shareProcessNamespace',
  'subdomain',
  'terminationGracePeriodSeconds',
  'volumes',
]);

const podFieldsOfV2 = new Set([
  ...podFields,
  'affinity',
  'ephemeralContainers',
  'overhead',
  'topologySpreadConstraints',
]);
podFieldsOfV2.delete('subdomain');

const containerFields = new Set([
  'args',
  'command',
  'env',
  'envFrom',
  'image',
  'imagePullPolicy',
  'lifecycle',
  'livenessProbe',
  'name',
  'ports',
  'readinessProbe',
  'resources',
  'securityContext',
  'startupProbe',
  'stdin',
  'stdinOnce',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'tty',
  'volumeMounts',
  'workingDir',
]);

/** An init container that is always restarted is a sidecar. */
const initContainerFields = new Set([...containerFields, 'restartPolicy']);

const volumeTypes = new Set(['configMap', 'downwardAPI', 'emptyDir', 'persistentVolumeClaim', 'projected', 'secret']);
const volumeTypesOfV2 = new Set([...volumeTypes, 'ephemeral', 'nfs']);
const projectionsOfV2 = new Set(['configMap', 'downwardAPI', 'secret']);
const imagePullSecret = 'imagepull-secret';
const dnsPolicies = new Set(['None', 'Default', 'ClusterFirst']);

/** The first part of a raw PodSpec that CCI does not take, as a message; undefined when it takes all. */
export function fieldMistake(podSpec: unknown, generation: 1 | 2): string | undefined {
  if (!isObject(podSpec)) return 'spec: Required value';
  const emptyDirs = namesOfEmptyDirs(podSpec);
  return first(
    () => unknownField(podSpec, generation === 1 ? podFields : podFieldsOfV2, 'spec'),
    () => pullSecretMistake(podSpec),
    () => dnsMistake(podSpec),
    () =>
      firstOf(listAt(podSpec, 'volumes'), (volume, index) =>
        volumeMistake(volume, `spec.volumes[${index}]`, generation),
      ),
    ...(['initContainers', 'containers'] as const).map(
      (list) => () =>
        firstOf(listAt(podSpec, list), (container, index) =>
          containerMistake(container, { list, path: `spec.${list}[${index}]` }, emptyDirs),
        ),
    ),
  );
}

function containerMistake(
  container: unknown,
  { list, path }: { readonly list: 'initContainers' | 'containers'; readonly path: string },
  emptyDirs: ReadonlySet<string>,
): string | undefined {
  if (!isObject(container)) return `${path}: Required value`;
  return first(
    () => unknownField(container, list === 'initContainers' ? initContainerFields : containerFields, path),
    () =>
      (at(container, 'restartPolicy') ?? 'Always') === 'Always' ? undefined : notSupported(`${path}.restartPolicy`),
    () =>
      at(container, 'securityContext', 'privileged') === true
        ? notSupported(`${path}.securityContext.privileged`)
        : undefined,
    () =>
      at(container, 'startupProbe', 'tcpSocket') === undefined
        ? undefined
        : notSupported(`${path}.startupProbe.tcpSocket`),
    () =>
      firstOf(listAt(container, 'ports'), (port, index) =>
        at(port, 'hostPort') === undefined ? undefined : notSupported(`${path}.ports[${index}].hostPort`),
      ),
    () =>
      firstOf(listAt(container, 'volumeMounts'), (mount, index) =>
        emptyDirs.has(textAt(mount, 'name') ?? '') && (textAt(mount, 'subPath') ?? textAt(mount, 'subPathExpr'))
          ? notSupported(`${path}.volumeMounts[${index}].subPath of an emptyDir`)
          : undefined,
      ),
  );
}

function volumeMistake(volume: unknown, path: string, generation: 1 | 2): string | undefined {
  if (!isObject(volume)) return `${path}: Required value`;
  const known = generation === 1 ? volumeTypes : volumeTypesOfV2;
  const type = Object.keys(volume).find((key) => key !== 'name' && !known.has(key));
  if (type !== undefined) return notSupported(`${path}.${type}`);
  return generation === 1 ? undefined : projectionMistake(volume, path);
}

function projectionMistake(volume: JsonObject, path: string): string | undefined {
  return firstOf(listAt(volume, 'projected', 'sources'), (source, index) => {
    const wrong = Object.keys(isObject(source) ? source : {}).find((key) => !projectionsOfV2.has(key));
    return wrong === undefined ? undefined : notSupported(`${path}.projected.sources[${index}].${wrong}`);
  });
}

function pullSecretMistake(podSpec: JsonObject): string | undefined {
  const wrong = listAt(podSpec, 'imagePullSecrets').find((secret) => textAt(secret, 'name') !== imagePullSecret);
  return wrong === undefined ? undefined : `spec.imagePullSecrets: the name must be ${imagePullSecret}`;
}

function dnsMistake(podSpec: JsonObject): string | undefined {
  const policy = podSpec['dnsPolicy'];
  return policy === undefined || (typeof policy === 'string' && dnsPolicies.has(policy))
    ? undefined
    : notSupported(`spec.dnsPolicy ${JSON.stringify(policy)}`);
}

function namesOfEmptyDirs(podSpec: JsonObject): ReadonlySet<string> {
  const names = listAt(podSpec, 'volumes')
    .filter((volume) => at(volume, 'emptyDir') !== undefined)
    .map((volume) => textAt(volume, 'name') ?? '');
  return new Set(names);
}

/** Fields that are there but say nothing (null, false, "") count as absent. */
function unknownField(object: JsonObject, known: ReadonlySet<string>, path: string): string | undefined {
  const found = Object.entries(object).find(
    ([key, value]) => !known.has(key) && value !== null && value !== false && value !== '',
  );
  return found === undefined ? undefined : notSupported(`${path}.${found[0]}`);
}

function notSupported(path: string): string {
  return `${path} is not supported`;
}

function first(...checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const mistake = check();
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

function firstOf(
  items: readonly unknown[],
  check: (item: unknown, index: number) => string | undefined,
): string | undefined {
  return first(...items.map((item, index) => () => check(item, index)));
}
