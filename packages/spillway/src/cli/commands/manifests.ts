import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { rbacManifests } from '../../addon/rbac.ts';
import { placementLeaseName, poolLeaseName } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';

interface RbacCommandOptions {
  readonly config: string;
  readonly namespace: string;
  readonly output: 'yaml' | 'json';
}

/** `spillway manifests rbac` */
export function manifestsCommand(): Command {
  const manifests = new Command('manifests').description('manifests for kubectl apply');
  manifests
    .command('rbac')
    .description('everything that "spillway serve" may do with this configuration, and the account that may')
    .requiredOption('--config <file>', 'configuration file')
    .option('--namespace <name>', 'namespace of the account', 'spillway-system')
    .addOption(new Option('-o, --output <format>', 'format').choices(['yaml', 'json']).default('yaml'))
    .action(async ({ config: file, namespace, output }: RbacCommandOptions) => {
      const { pools, placement, leaderElection } = await loadConfig(file);
      const objects = rbacManifests({
        nodeNames: pools.map(({ nodeName }) => nodeName),
        approveServingCertificates: pools.some(({ servingCertificate }) => servingCertificate.csr?.approve === true),
        placement: placement.enabled,
        namespace,
        ...(leaderElection.enabled
          ? {
              leaderElection: {
                namespace: leaderElection.namespace,
                leaseNames: [
                  ...pools.map((pool) => poolLeaseName(leaderElection, pool)),
                  ...(placement.enabled ? [placementLeaseName(leaderElection)] : []),
                ],
              },
            }
          : {}),
      });
      const text =
        output === 'yaml'
          ? objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n')
          : `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, undefined, 2)}\n`;
      process.stdout.write(text);
    });
  return manifests;
}
