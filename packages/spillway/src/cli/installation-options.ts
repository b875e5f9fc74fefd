import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LinkServiceOptions } from '../addon/installation/installation.ts';
import type { Choices } from '../addon/installation/options-of.ts';
import { mostPods, resourcesFor, usualPods } from '../addon/installation/resources.ts';
import { isSuitableFolder, type SecretMount } from '../addon/installation/secret-mounts.ts';

/** What people choose for an installation. What they do not say stays as it is, or is as usual. */
export interface ChoiceOptions {
  readonly image?: string;
  readonly imagePullSecret?: readonly string[];
  readonly replicas?: number;
  readonly pods?: number;
  readonly secret?: readonly SecretMount[];
  readonly stateClaim?: string;
  readonly priorityClass?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly linkService?: LinkServiceOptions['type'];
  readonly linkServiceAnnotation?: Readonly<Record<string, string>>;
}

export function withChoiceOptions(command: Command): Command {
  return command
    .option('--image <image>', 'image of Spillway, best with its digest')
    .option('--image-pull-secret <name>', 'Secret for the registry; can be repeated', collected)
    .option('--replicas <count>', 'two or more stand by for each other (default: 1)', replicasOf)
    .option(
      '--pods <count>',
      `burst pods at the same time, which decide about CPU and memory: up to ${mostPods} (default: ${usualPods})`,
      podsOf,
    )
    .option(
      '--secret <name=folder>',
      'Secret of the namespace, and the folder in which the pods find its files; can be repeated',
      mountsOf,
    )
    .option('--state-claim <name>', 'PersistentVolumeClaim for /var/lib/spillway, for the ledger')
    .option('--priority-class <name>', 'priority class of the pods (default: system-cluster-critical)')
    .option('--node-selector <key=value>', 'nodes on which the pods run; can be repeated', pairsOf)
    .addOption(
      new Option('--link-service <type>', 'type of the Service of the link server (default: ClusterIP)').choices([
        'ClusterIP',
        'NodePort',
        'LoadBalancer',
      ]),
    )
    .option('--link-service-annotation <key=value>', 'annotation of that Service; can be repeated', pairsOf);
}

/** @param before those of the installation that is there */
export function chosen(
  options: ChoiceOptions,
  before: Choices | undefined,
  { namespace, image }: { readonly namespace: string; readonly image: string },
): Choices {
  const linkService = before?.linkService ?? { type: 'ClusterIP', annotations: {} };
  return {
    namespace,
    image,
    imagePullSecrets: options.imagePullSecret ?? before?.imagePullSecrets ?? [],
    replicas: options.replicas ?? before?.replicas ?? 1,
    resources: options.pods === undefined && before ? before.resources : resourcesFor(options.pods ?? usualPods),
    priorityClassName: options.priorityClass ?? before?.priorityClassName ?? 'system-cluster-critical',
    nodeSelector: options.nodeSelector ?? before?.nodeSelector ?? {},
    tolerations: before?.tolerations ?? [],
    stateClaim: options.stateClaim ?? before?.stateClaim,
    mounts: options.secret ?? before?.mounts ?? [],
    files: before?.files ?? [],
    linkService: {
      type: options.linkService ?? linkService.type,
      annotations: options.linkServiceAnnotation ?? linkService.annotations,
    },
  };
}

const collected = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

function pairsOf(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, key, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('It must be KEY=VALUE.');
  return { ...before, [key]: value };
}

function mountsOf(text: string, before: readonly SecretMount[] = []): readonly SecretMount[] {
  const [, secret, folder] = /^([^=]+)=(\/.*[^/])\/*$/.exec(text) ?? [];
  if (secret === undefined || folder === undefined) throw new InvalidArgumentError('It must be NAME=/FOLDER.');
  if (!isSuitableFolder(folder)) {
    throw new InvalidArgumentError(
      `The pods have something else in ${folder}: use a folder such as /etc/spillway/login.`,
    );
  }
  return [...before, { secret, folder }];
}

const replicasOf = (text: string): number => wholeNumber(text, 1, 5);
const podsOf = (text: string): number => wholeNumber(text, 1, mostPods);

function wholeNumber(text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
}
