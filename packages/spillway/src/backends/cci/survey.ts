import { type Logger, systemClock } from '@spillway/kube';
import type { Survey } from '../survey.ts';
import { silenceIn } from '../kubernetes/dead-man/silence.ts';
import { endForeign, lookAround } from '../kubernetes/survey/look.ts';
import { readAuthority } from './authority-file.ts';
import { CciConnection } from './connect.ts';
import { environmentLogin, fileLogin } from './credentials/login-source.ts';
import { dialects } from './dialects.ts';
import { endpointsOf } from './endpoints.ts';
import { toBackendError } from './errors.ts';
import { cciHome } from './home.ts';
import { type CciBackendOptions, makeCciBackend } from './make-cci.ts';
import { podDialect } from './pod-dialect.ts';
import { namespaceName } from './prepare/namespace.ts';

export interface CciSurveyOptions {
  readonly options: CciBackendOptions;
  /** Of the cluster that the configuration is for, if it is known. */
  readonly clusterId: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly logger: Logger;
}

/** Of a project of an account in one region. */
export function surveyCci({ options, clusterId, environment, logger }: CciSurveyOptions): Survey {
  const { region, projectId, projectName = region, apiVersion, credentials } = options;
  const dialect = dialects[apiVersion];
  const usual = clusterId === undefined ? [] : [`${dialect.namespacePrefix}${clusterId}`];
  const known = options.namespaceName === undefined ? usual : [options.namespaceName];
  let connected: Promise<CciConnection> | undefined;
  const connect = async (): Promise<CciConnection> => {
    const ca = await readAuthority(options.ca);
    connected ??= Promise.resolve(
      new CciConnection({
        dialect,
        endpoints: endpointsOf(options),
        ca,
        projectId,
        // Asked for to learn whether the credentials are accepted: it need not be there.
        namespace: known[0] ?? `${dialect.namespacePrefix}none`,
        source: credentials.file === undefined ? environmentLogin(environment) : fileLogin(credentials.file),
        clock: systemClock,
        logger,
      }),
    );
    return await connected;
  };
  const pods = podDialect(dialect, options);
  const { types } = pods;
  return {
    place: `CCI ${apiVersion === 'v1' ? '1.0' : '2.0'} ${region}, project ${projectName} (${projectId})`,
    look: async (signal) => {
      try {
        const { client } = await connect();
        const mayBeOurs = (name: string): boolean => name.startsWith(dialect.namespacePrefix);
        return await lookAround({ client, types, namespaces: cciHome(dialect).namespaces, known, mayBeOurs }, signal);
      } catch (error) {
        throw toBackendError(error);
      }
    },
    open: (owner, namespace) =>
      makeCciBackend({ options: { ...options, namespaceName: namespace }, owner, environment, logger }),
    silence: (owner) =>
      silenceIn({
        connect: async () => {
          const namespace = namespaceName(dialect, owner.clusterId, options.namespaceName);
          return { client: (await connect()).client, configMaps: types.configMaps, namespace, owner };
        },
        dialect: pods,
        toError: toBackendError,
      }),
    end: async (namespace, { name, uid }, signal) => {
      try {
        await endForeign((await connect()).client, types.pods, { namespace, name, uid }, signal);
      } catch (error) {
        throw toBackendError(error);
      }
    },
    close: async () => {
      await (await connected?.catch(() => undefined))?.close();
    },
  };
}
