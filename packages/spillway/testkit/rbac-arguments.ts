import { abilitiesOf, type Cluster } from '@spillway/devcluster';

/** The command line of spillway that prints the rights for this configuration, in kinds that the cluster knows. */
export function rbacArguments({ kubernetesVersion }: Cluster, configFile: string): string[] {
  const { validatingPolicies } = abilitiesOf(kubernetesVersion);
  return ['manifests', 'rbac', '--config', configFile, ...(validatingPolicies ? [] : ['--no-pod-write-policy'])];
}
