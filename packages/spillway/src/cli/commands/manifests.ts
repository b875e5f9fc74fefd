import { KubeClient, errorMessage } from '@spillway/kube';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { admissionManifests } from '../../addon/admission-manifests.ts';
import { rbacManifests } from '../../addon/rbac.ts';
import { rightsOf } from '../../addon/rights.ts';
import { webhookAddress } from '../../admission/configurations.ts';
import type { AdmissionCarrier, Config } from '../../config/config.ts';
import { kubernetesAccess, processEnvironment } from '../../config/kubernetes-access.ts';
import { ConfigError, loadConfig } from '../../config/load.ts';
import { scheduleProfileCrd } from '../../placement/rules/schedule-profile-crd.ts';
import { clusterConfig } from '../../serve/connect.ts';
import { note, type Terminal } from '../terminal.ts';

type Format = 'yaml' | 'json';

interface RbacCommandOptions {
  readonly config: string;
  readonly namespace: string;
  readonly podWritePolicy: boolean;
  readonly output: Format;
}

interface AdmissionCommandOptions {
  readonly config: string;
  readonly carrier?: AdmissionCarrier;
  readonly output: Format;
}

const output = (): Option => new Option('-o, --output <format>', 'format').choices(['yaml', 'json']).default('yaml');

/** `spillway manifests rbac`, `admission` and `crds` */
export function manifestsCommand(terminal: Terminal): Command {
  const manifests = new Command('manifests');
  manifests
    .command('rbac')
    .description('print the rights that "spillway serve" needs with this configuration, and the account that has them')
    .requiredOption('--config <file>', 'configuration file')
    .option('--namespace <name>', 'namespace of the account', 'spillway-system')
    .option(
      '--no-pod-write-policy',
      'leave out the admission policies that limit which changes of pods the account may make; Kubernetes before 1.30 does not support them',
    )
    .addOption(output())
    .action(async ({ config: file, namespace, podWritePolicy, output: format }: RbacCommandOptions) => {
      const config = await loadConfig(file);
      const objects = rbacManifests(rightsOf(config, { namespace, podWritePolicy }));
      print(terminal, objects, format);
      if (!podWritePolicy) note(terminal, withoutPodWritePolicy(config.name));
    });
  manifests
    .command('admission')
    .description('print the admission policies or webhooks that turn burst labels into scheduling fields')
    .requiredOption('--config <file>', 'configuration file')
    .addOption(
      new Option(
        '--carrier <carrier>',
        'default: admission.carrier of the configuration; auto asks the cluster',
      ).choices(['policy', 'webhook', 'auto']),
    )
    .addOption(output())
    .action(async ({ config: file, carrier, output: format }: AdmissionCommandOptions) => {
      const config = await loadConfig(file);
      const { name, admission } = config;
      const wanted = carrier ?? admission.carrier;
      const objects = admissionManifests({
        installation: name,
        carrier: wanted === 'auto' ? await carrierOfCluster(config) : wanted,
        address: webhookAddress(admission),
        port: admission.port,
        served: admission.enabled,
        taintKeys: [...new Set(config.pools.flatMap(({ taints }) => taints.map(({ key }) => key)))],
      });
      print(terminal, objects, format);
    });
  manifests
    .command('crds')
    .description('print the custom resource that Spillway uses: ScheduleProfile')
    .addOption(output())
    .action(({ output: format }: { output: Format }) => print(terminal, [scheduleProfileCrd], format));
  return manifests;
}

const withoutPodWritePolicy = (name: string): string =>
  `note: without the admission policy ${name}-pod-writes, the account ${name} may patch any pod of the cluster, including its image: protect its token like that of an administrator, or use Kubernetes 1.30 or newer`;

function print(terminal: Terminal, objects: readonly object[], format: Format): void {
  const text =
    format === 'yaml'
      ? objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n')
      : `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, undefined, 2)}\n`;
  terminal.stdout.write(text);
}

async function carrierOfCluster({ kubernetes }: Config): Promise<'policy' | 'webhook'> {
  const access = kubernetesAccess(kubernetes, processEnvironment());
  const client = new KubeClient({ config: await clusterConfig(access) });
  try {
    const { resources } = await client.request<{ resources: { name: string }[] }>({
      method: 'GET',
      path: '/apis/admissionregistration.k8s.io/v1',
      retry: false,
    });
    return resources.some(({ name }) => name === 'mutatingadmissionpolicies') ? 'policy' : 'webhook';
  } catch (cause) {
    const why = errorMessage(cause);
    throw new ConfigError(`cannot find out what the cluster supports: ${why}; specify it with --carrier`, [], {
      cause,
    });
  } finally {
    await client.close();
  }
}
