import type { ClusterRoleBinding, Deployment, Lease, Namespace, Node } from '@spillway/kube';
import { nameOf } from '@spillway/kube';
import { type Abilities, carrierOf } from '../addon/installation/installation.ts';
import { stateFolder } from '../addon/installation/installed-config.ts';
import { type AddOn, isInstalled, runningOf } from '../cce-addon/add-on.ts';
import { titleOf } from '../cce-addon/marks.ts';
import type { Config } from '../config/config.ts';
import { foreignNodeMessage, isOwnNode } from '../node/node-object.ts';
import { scheduleProfileCrd } from '../placement/rules/schedule-profile-crd.ts';
import { isOfInstallation } from '../podspec/installation.ts';
import { counted } from '../podspec/words.ts';

/** What was found before anything was changed. */
export interface PreflightView {
  readonly config: Config;
  readonly namespace: string;
  readonly stateClaim: string | undefined;
  /** E.g. `v1.36.3`. */
  readonly serverVersion: string;
  readonly abilities: Abilities;
  readonly space: Namespace | undefined;
  /** With the name of the installation. */
  readonly deployment: Deployment | undefined;
  /** Who has the rights of an installation with this name. */
  readonly binding: ClusterRoleBinding | undefined;
  readonly nodes: readonly { readonly node: Node | undefined; readonly lease: Lease | undefined }[];
  /** Secrets that the pods mount and that are not there. */
  readonly missingSecrets: readonly string[];
  readonly addOn: AddOn;
  readonly nowMs: number;
}

export interface PreflightFinding {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly remedy?: string | undefined;
}

const oldestMinor = 28;

/** What stands in the way of an installation, and what people should know before. */
export function preflightFindings(view: PreflightView): readonly PreflightFinding[] {
  return [
    ...versionFindings(view),
    ...admissionFindings(view),
    ...placeFindings(view),
    ...nodeFindings(view),
    ...storeFindings(view),
    ...addOnFindings(view),
  ];
}

const error = (message: string, remedy?: string): PreflightFinding => ({ severity: 'error', message, remedy });
const warning = (message: string, remedy?: string): PreflightFinding => ({ severity: 'warning', message, remedy });

function versionFindings({ serverVersion }: PreflightView): PreflightFinding[] {
  const [, major = '0', minor = '0'] = /^v(\d+)\.(\d+)/.exec(serverVersion) ?? [];
  if (Number(major) > 1 || Number(minor) >= oldestMinor) return [];
  return [
    error(
      `the cluster has Kubernetes ${serverVersion}, and Spillway needs 1.${oldestMinor} or newer`,
      'Upgrade the cluster',
    ),
  ];
}

function admissionFindings({ config, abilities }: PreflightView): PreflightFinding[] {
  const carrier = carrierOf(config, abilities);
  const rules =
    carrier === 'policy' && !abilities.mutatingPolicies
      ? [
          error(
            'admission.carrier is policy, and the cluster has no MutatingAdmissionPolicy (Kubernetes 1.36 and newer)',
            'Remove admission.carrier: webhooks are used then',
          ),
        ]
      : carrier === 'webhook' && !config.admission.enabled
        ? [
            error(
              'the cluster has no MutatingAdmissionPolicy, so that webhooks carry the rules, and admission.enabled is false',
              'Remove admission.enabled',
            ),
          ]
        : [];
  const limits = abilities.validatingPolicies
    ? []
    : [
        warning(
          `the cluster has no ValidatingAdmissionPolicy, so that the account ${config.name} may patch any pod, including its image`,
          'Protect its namespace, or use Kubernetes 1.30 or newer',
        ),
      ];
  return [...rules, ...limits];
}

function placeFindings({ config: { name }, namespace, space, deployment, binding }: PreflightView): PreflightFinding[] {
  const elsewhere = binding?.subjects?.find((subject) => subject.namespace !== namespace)?.namespace;
  const isOurs = isOfInstallation(deployment?.metadata?.labels, name);
  return [
    ...(space?.metadata?.deletionTimestamp === undefined
      ? []
      : [error(`the namespace ${namespace} is being deleted`, 'Wait until it is gone, and run this again')]),
    ...(elsewhere === undefined
      ? []
      : [
          error(
            `the installation "${name}" has its account in the namespace ${elsewhere}`,
            `Use --namespace ${elsewhere}, or give this one another name in its configuration`,
          ),
        ]),
    ...(deployment === undefined || isOurs
      ? []
      : [
          error(
            `the Deployment ${namespace}/${name} was not created by Spillway`,
            'Use another namespace, or give the installation another name in its configuration',
          ),
        ]),
  ];
}

function nodeFindings({ nodes, deployment, nowMs }: PreflightView): PreflightFinding[] {
  return nodes.flatMap(({ node, lease }) => {
    if (node === undefined) return [];
    if (!isOwnNode(node)) return [error(foreignNodeMessage(node))];
    if ((deployment?.spec?.replicas ?? 0) > 0 || !isRenewed(lease, nowMs)) return [];
    return [
      error(
        `somebody serves the virtual node ${nameOf(node)} already, and this installation does not`,
        'Stop that "spillway serve" (end the process, or scale its Deployment to 0); its pods keep running. Then run this again after 40 seconds',
      ),
    ];
  });
}

function isRenewed(lease: Lease | undefined, nowMs: number): boolean {
  const { renewTime = '', leaseDurationSeconds = 40, holderIdentity = '' } = lease?.spec ?? {};
  return holderIdentity !== '' && nowMs - Date.parse(renewTime) < leaseDurationSeconds * 1000;
}

function storeFindings({ config, stateClaim, missingSecrets, namespace }: PreflightView): PreflightFinding[] {
  const keeps = [
    ...(config.ledger.directory === undefined ? [] : ['ledger.directory']),
    ...config.pools.flatMap(({ name, backend }) =>
      backend.type === 'simulated' && backend.stateFile !== undefined ? [`stateFile of the pool ${name}`] : [],
    ),
  ];
  return [
    ...(keeps.length > 0 && stateClaim === undefined
      ? [
          warning(
            `${keeps.join(' and ')}: without a PersistentVolumeClaim for ${stateFolder} it ends with each pod`,
            'Create a claim, and name it with --state-claim',
          ),
        ]
      : []),
    ...missingSecrets.map((secret) =>
      error(
        `the Secret ${namespace}/${secret} does not exist`,
        `Create it: kubectl create secret generic ${secret} -n ${namespace} --from-file=…`,
      ),
    ),
  ];
}

/** The CustomResourceDefinition of somebody else is used as it is. */
export const ownsDefinition = ({ addOn: { definitions } }: Pick<PreflightView, 'addOn'>): boolean =>
  definitions.every((definition) => nameOf(definition) !== nameOf(scheduleProfileCrd));

function addOnFindings({ addOn }: PreflightView): PreflightFinding[] {
  const { deployments, webhooks, nodes } = addOn;
  const parts = [...deployments, ...webhooks, ...nodes].map(titleOf).join(', ');
  return [
    ...(isInstalled(addOn)
      ? [
          warning(
            `the CCE add-on virtual-kubelet is in this cluster, with ${counted(runningOf(addOn).length, 'pod')} on its node: ${parts}. Spillway leaves all of it alone. New pods with a burst label burst to Spillway if they have to burst (enforce), and otherwise to either`,
            'Before the installation or after it, "spillway migrate-addon" says how its pods come to Spillway',
          ),
        ]
      : []),
    ...(ownsDefinition({ addOn })
      ? []
      : [
          warning(
            `the CustomResourceDefinition ${nameOf(scheduleProfileCrd)} was not created by Spillway: it is used as it is, and stays when Spillway is uninstalled`,
            'When it goes with the add-on, "spillway upgrade" creates Spillway’s',
          ),
        ]),
  ];
}
