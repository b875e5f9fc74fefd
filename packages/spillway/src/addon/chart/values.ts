import { jsonSchema } from '../../config/fields.ts';
import { mostPods, usualPods } from '../installation/resources.ts';

/** Of values.yaml, with what it says about each of them. */
export const valuesText: string = `# The configuration of Spillway, as "spillway serve" takes it: docs/configuration.md.
# leaderElection, admission and observability.healthPort are on by default here; see docs/installation.md.
config: {}
  # pools:
  #   - name: cci
  #     nodeName: virtual-kubelet
  #     backend: {type: cci, credentials: {file: /etc/spillway/cci/login.yaml}, …}

image:
  # Where the nodes of the cluster find the image.
  repository: ""
  # Default: the version of the chart's application.
  tag: ""
  # sha256:…; it wins over the tag.
  digest: ""

# Names of Secrets with logins for the registry.
imagePullSecrets: []

# Two or more stand by for each other.
replicas: 1

# Burst pods at the same time, up to ${mostPods}: decides about CPU and memory.
pods: ${usualPods}
# requests and limits in place of those that follow from pods.
resources: {}

# Secrets of the namespace, and the folders in which the pods find their files: [{name: cci-login, folder: /etc/spillway/cci}].
secrets: []

# PersistentVolumeClaim for /var/lib/spillway, for the ledger. Default: it ends with each pod.
stateClaim: ""

priorityClassName: system-cluster-critical
nodeSelector: {}
tolerations: []

# Which admission policies the cluster has. Default (null): what Helm is told by the cluster, or the newest where it asks none.
abilities:
  # MutatingAdmissionPolicy: Kubernetes 1.36 and newer.
  mutatingPolicies: null
  # ValidatingAdmissionPolicy: 1.30 and newer.
  validatingPolicies: null

# The Service of the link server, if config.link.image is set. Burst pods do not reach a ClusterIP.
linkService:
  type: ClusterIP
  annotations: {}

# The CustomResourceDefinition ScheduleProfile, which installations share. It is removed by "spillway uninstall" with the last of them.
crd:
  # false: another installation in the cluster has brought it.
  install: true

# "helm uninstall" first runs "spillway uninstall" in a Job, with an account of its own that may remove what this installation has:
# burst pods end, and what Spillway has on the backends is removed. Without it, they stay.
uninstall:
  enabled: true
  # Keeps the CustomResourceDefinition ScheduleProfile and its objects.
  keepCrds: false
  timeoutSeconds: 600
`;

const text = { type: 'string' };
const map = { type: 'object', additionalProperties: text };
const strict = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});

export function valuesSchema(): object {
  const { title: _, $schema: __, ...config } = jsonSchema();
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Values of the chart spillway',
    ...strict(
      {
        global: { type: 'object' },
        config,
        image: strict(
          {
            repository: { type: 'string', minLength: 1 },
            tag: text,
            digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
          },
          ['repository'],
        ),
        imagePullSecrets: { type: 'array', items: { type: 'string', minLength: 1 } },
        replicas: { type: 'integer', minimum: 1, maximum: 5 },
        pods: { type: 'integer', minimum: 1, maximum: mostPods },
        resources: { type: 'object' },
        secrets: {
          type: 'array',
          items: strict({ name: { type: 'string', minLength: 1 }, folder: { type: 'string', pattern: '^/.*[^/]$' } }, [
            'name',
            'folder',
          ]),
        },
        stateClaim: text,
        priorityClassName: text,
        nodeSelector: map,
        tolerations: { type: 'array', items: { type: 'object' } },
        abilities: strict({
          mutatingPolicies: { type: ['boolean', 'null'] },
          validatingPolicies: { type: ['boolean', 'null'] },
        }),
        linkService: strict({ type: { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] }, annotations: map }, [
          'type',
          'annotations',
        ]),
        crd: strict({ install: { type: 'boolean' } }, ['install']),
        uninstall: strict(
          {
            enabled: { type: 'boolean' },
            keepCrds: { type: 'boolean' },
            timeoutSeconds: { type: 'integer', minimum: 30, maximum: 86_400 },
          },
          ['enabled', 'keepCrds', 'timeoutSeconds'],
        ),
      },
      ['config', 'image'],
    ),
  };
}
