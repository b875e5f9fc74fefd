// In a pod: the JavaScript client of Kubernetes, configured as in any cluster, prints the names of pods of a namespace.
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromCluster();
const [, , namespace = 'default'] = process.argv;
const { items } = await config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace });
process.stdout.write(
  `${config.getCurrentCluster()?.server}\n${items.map(({ metadata }) => metadata?.name).join('\n')}\n`,
);
