import { KubeClient, loadKubeconfig, type Logger, namespaces } from '@spillway/kube';
import type { Survey } from '../survey.ts';
import { kubernetesDialect } from './dialect.ts';
import { backendError } from './errors.ts';
import { type KubernetesBackendOptions, makeKubernetesBackend } from './make-kubernetes.ts';
import { endForeign, lookAround } from './survey/look.ts';

/** Of a cluster in which other clusters have pods. */
export function surveyKubernetes(options: KubernetesBackendOptions, logger: Logger): Survey {
  const { kubeconfig, context, namespace } = options;
  let connected: Promise<KubeClient> | undefined;
  const connect = async (): Promise<KubeClient> => {
    connected ??= loadKubeconfig({ paths: [kubeconfig], context }).then((config) => new KubeClient({ config, logger }));
    return await connected;
  };
  return {
    place: `cluster of ${kubeconfig}${context === undefined ? '' : `, context ${context}`}`,
    look: async (signal) => {
      try {
        const client = await connect();
        const { types } = kubernetesDialect;
        return await lookAround({ client, types, namespaces, known: [namespace], mayBeOurs: () => false }, signal);
      } catch (error) {
        throw backendError(error, 'look at the cluster', kubernetesDialect);
      }
    },
    open: (owner, of) => makeKubernetesBackend({ options: { ...options, namespace: of }, owner, logger }),
    end: async (of, { name, uid }, signal) => {
      try {
        await endForeign(await connect(), kubernetesDialect.types.pods, { namespace: of, name, uid }, signal);
      } catch (error) {
        throw backendError(error, `end pod ${of}/${name}`, kubernetesDialect);
      }
    },
    close: async () => {
      await (await connected?.catch(() => undefined))?.close();
    },
  };
}
