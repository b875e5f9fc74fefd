import { offeredAmounts } from '../../../podspec/fit/amounts.ts';
import {
  adapted,
  checked,
  dropped,
  type FieldRules,
  type FieldTable,
  passed,
  refused,
} from '../../../podspec/fit/fields.ts';
import type { Support } from '../../../podspec/fit/support.ts';

// What a cluster with a kubelet does with every field of a pod's spec.

const each = (fields: FieldTable): FieldRules => ({ fields });
const all = (...names: readonly string[]): FieldTable => Object.fromEntries(names.map((name) => [name, passed]));

const action: FieldTable = {
  exec: each(all('command')),
  httpGet: each({ ...all('host', 'path', 'port', 'protocol', 'scheme'), httpHeaders: each(all('name', 'value')) }),
  tcpSocket: each(all('host', 'port')),
};

const probe = each({
  ...action,
  grpc: each(all('mode', 'port', 'service')),
  ...all(
    'failureThreshold',
    'initialDelaySeconds',
    'periodSeconds',
    'successThreshold',
    'terminationGracePeriodSeconds',
    'timeoutSeconds',
  ),
});

const hook = each({ ...action, sleep: each(all('seconds')) });

/** A file on the node, or on none. */
const isLocalhost = (type: unknown): boolean => type === 'Localhost';
const profile = each({
  type: checked('security-profile-unsupported', isLocalhost),
  localhostProfile: dropped,
});

const seLinuxOptions = each(all('level', 'role', 'type', 'user'));

const resources = each({
  limits: each(offeredAmounts),
  requests: each(offeredAmounts),
  claims: refused('resource-unsupported'),
});

const containerFields: FieldTable = {
  ...all(
    'args',
    'command',
    'image',
    'imagePullPolicy',
    'name',
    'restartPolicy',
    'stdin',
    'stdinOnce',
    'terminationMessagePath',
    'terminationMessagePolicy',
    'tty',
    'workingDir',
  ),
  env: each({
    name: adapted,
    value: adapted,
    valueFrom: each({
      configMapKeyRef: adapted,
      fieldRef: adapted,
      fileKeyRef: refused('env-source-unsupported'),
      resourceFieldRef: adapted,
      secretKeyRef: adapted,
    }),
  }),
  envFrom: adapted,
  lifecycle: each({ postStart: hook, preStop: hook, stopSignal: passed }),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  ports: each({ ...all('containerPort', 'name', 'protocol'), hostIP: dropped, hostPort: dropped }),
  resizePolicy: each(all('resourceName', 'restartPolicy')),
  resources,
  restartPolicyRules: each({ action: passed, exitCodes: each(all('operator', 'values')) }),
  securityContext: each({
    ...all(
      'allowPrivilegeEscalation',
      'privileged',
      'procMount',
      'readOnlyRootFilesystem',
      'runAsGroup',
      'runAsNonRoot',
      'runAsUser',
    ),
    appArmorProfile: profile,
    capabilities: each(all('add', 'drop')),
    seLinuxOptions,
    seccompProfile: profile,
    windowsOptions: dropped,
  }),
  volumeDevices: refused('mount-option-unsupported'),
  volumeMounts: adapted,
};
const container = each(containerFields);

/** Of a container that is added to a pod which runs. */
export const ephemeralContainerFields: FieldTable = { ...containerFields, targetContainerName: passed };

const volumeKinds = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'csi',
  'ephemeral',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'glusterfs',
  'hostPath',
  'image',
  'iscsi',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
] as const;

const own = (...names: readonly string[]): FieldTable => Object.fromEntries(names.map((name) => [name, adapted]));
/** Kubernetes 1.37 and newer: whose the files are. */
const user = refused('mount-option-unsupported');
const items = each({ ...own('key', 'mode', 'path'), user });
const downwardItems = each({ ...own('fieldRef', 'mode', 'path', 'resourceFieldRef'), user });

const volume = each({
  name: adapted,
  configMap: each({ ...own('defaultMode', 'name', 'optional'), items, defaultUser: user }),
  downwardAPI: each({ defaultMode: adapted, items: downwardItems, defaultUser: user }),
  emptyDir: each({
    medium: checked('empty-dir-medium-unsupported', (medium) => medium !== '' && medium !== 'Memory'),
    mode: passed,
    sizeLimit: passed,
  }),
  projected: each({
    defaultMode: adapted,
    defaultUser: user,
    sources: each({
      clusterTrustBundle: refused('projection-unsupported'),
      configMap: each({ ...own('name', 'optional'), items }),
      downwardAPI: each({ items: downwardItems }),
      podCertificate: refused('projection-unsupported'),
      secret: each({ ...own('name', 'optional'), items }),
      serviceAccountToken: each({ ...own('audience', 'expirationSeconds', 'path'), user }),
    }),
  }),
  persistentVolumeClaim: each(own('claimName', 'readOnly')),
  secret: each({ ...own('defaultMode', 'optional', 'secretName'), items, defaultUser: user }),
  ...Object.fromEntries(volumeKinds.map((kind) => [kind, refused('volume-unsupported')])),
});

export const podFields: FieldTable = {
  ...all('activeDeadlineSeconds', 'restartPolicy', 'shareProcessNamespace', 'terminationGracePeriodSeconds'),
  affinity: dropped,
  automountServiceAccountToken: adapted,
  containers: container,
  dnsConfig: adapted,
  dnsPolicy: adapted,
  enableServiceLinks: adapted,
  ephemeralContainers: adapted,
  evictionResponders: dropped,
  hostAliases: each(all('hostnames', 'ip')),
  hostIPC: refused('host-namespace-unsupported'),
  hostNetwork: refused('host-namespace-unsupported'),
  hostPID: refused('host-namespace-unsupported'),
  hostUsers: passed,
  hostname: adapted,
  hostnameOverride: adapted,
  imagePullSecrets: adapted,
  initContainers: container,
  nodeName: dropped,
  nodeSelector: dropped,
  os: each({ name: checked('os-unsupported', (name) => name !== 'linux') }),
  overhead: dropped,
  preemptionPolicy: dropped,
  priority: dropped,
  priorityClassName: dropped,
  readinessGates: dropped,
  resourceClaims: refused('resource-unsupported'),
  resources,
  runtimeClassName: refused('runtime-class-unsupported'),
  schedulerName: dropped,
  schedulingGates: dropped,
  schedulingGroup: dropped,
  securityContext: each({
    ...all(
      'fsGroup',
      'fsGroupChangePolicy',
      'runAsGroup',
      'runAsNonRoot',
      'runAsUser',
      'seLinuxChangePolicy',
      'supplementalGroups',
      'supplementalGroupsPolicy',
    ),
    appArmorProfile: profile,
    seLinuxOptions,
    seccompProfile: profile,
    sysctls: each(all('name', 'value')),
    windowsOptions: dropped,
  }),
  serviceAccount: dropped,
  serviceAccountName: dropped,
  setHostnameAsFQDN: adapted,
  subdomain: adapted,
  tolerations: dropped,
  topologySpreadConstraints: dropped,
  volumes: volume,
};

export const kubernetesSupport: Support = {
  name: 'kubernetes',
  fields: podFields,
  alsoRefused: () => [],
  // Those of the other cluster that the configuration names.
  claims: new Set(),
  accessToken: false,
};
