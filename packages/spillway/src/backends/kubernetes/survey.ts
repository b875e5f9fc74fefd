import { KubeClient, loadKubeconfig, type Logger, namespaces } from '@spillway/kube';
import type { Owner } from '../backend.ts';
import type { Silence, Survey } from '../survey.ts';
import { silenceIn } from './dead-man/silence.ts';
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
        throw toError(error, 'look at the cluster');
      }
    },
    open: (owner, of) => makeKubernetesBackend({ options: { ...options, namespace: of }, owner, logger }),
    silence: (owner) =>
      silenceIn({
        connect: async () => ({
          client: await connect(),
          configMaps: kubernetesDialect.types.configMaps,
          namespace,
          owner,
        }),
        dialect: kubernetesDialect,
        toError,
      }),
    end: async (of, { name, uid }, signal) => {
      try {
        await endForeign(await connect(), kubernetesDialect.types.pods, { namespace: of, name, uid }, signal);
      } catch (error) {
        throw toError(error, `end pod ${of}/${name}`);
      }
    },
    close: async () => {
      await (await connected?.catch(() => undefined))?.close();
    },
  };
}

/** Of one namespace, with no more rights than it takes. */
export function silenceThere(client: KubeClient, owner: Owner, namespace: string): Silence {
  const { configMaps } = kubernetesDialect.types;
  return silenceIn({
    connect: async () => ({ client, configMaps, namespace, owner }),
    dialect: kubernetesDialect,
    toError,
  });
}

const toError = (error: unknown, doing: string): Error => backendError(error, doing, kubernetesDialect);
