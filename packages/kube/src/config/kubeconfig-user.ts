import { createPrivateKey, X509Certificate } from 'node:crypto';
import { KubeconfigError, errorMessage } from '../errors.ts';
import type { Impersonation } from './cluster-config.ts';
import { type Credentials, type CredentialSource, refreshedCredentials } from './credentials.ts';
import { ExecCredentials } from './exec-credentials.ts';
import { type ExecCluster, execPlugin } from './exec-plugin.ts';
import { type Entry, isRecord, pathField, pemField, stringField } from './kubeconfig-file.ts';
import { readTextFile } from './read-text-file.ts';

export interface UserSurroundings {
  /** What a credential plugin may be told of the cluster */
  readonly cluster: ExecCluster;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * A credential plugin is run when credentials are needed.
 * @param userNow as the kubeconfig has it now: others write it, too
 * @throws KubeconfigError, also when the files that it names cannot be used now
 */
export async function userCredentials(
  user: Entry,
  userNow: () => Promise<Entry>,
  { cluster, environment }: UserSurroundings,
): Promise<CredentialSource> {
  refuseUnsupported(user);
  const plugin = execPlugin(user);
  if (plugin !== undefined) {
    const check = ({ clientCert, clientKey }: Credentials): void => {
      if (clientCert !== undefined && clientKey !== undefined) checkPair(clientCert, clientKey, user);
    };
    return new ExecCredentials({ plugin, cluster, environment, check });
  }
  const files = ['client-certificate', 'client-key', 'tokenFile'].some(
    (field) => stringField(user, field) !== undefined,
  );
  let first: Entry | undefined = user;
  const read = async (): Promise<Credentials> => {
    const entry = first ?? (await userNow());
    first = undefined;
    return await readCredentials(entry);
  };
  const source = refreshedCredentials({ read, ...(files ? {} : { refreshMs: Number.POSITIVE_INFINITY }) });
  await source.current();
  return source;
}

export function userImpersonation(user: Entry): Impersonation | undefined {
  const name = stringField(user, 'as');
  if (name === undefined) return undefined;
  const groups = stringList(user.value['as-groups'], user, 'as-groups');
  const uid = stringField(user, 'as-uid');
  const extra = user.value['as-user-extra'];
  return {
    user: name,
    ...(groups.length === 0 ? {} : { groups }),
    ...(uid === undefined ? {} : { uid }),
    ...(isRecord(extra)
      ? { extra: Object.fromEntries(Object.entries(extra).map(([key, list]) => [key, stringList(list, user, key)])) }
      : {}),
  };
}

function refuseUnsupported(user: Entry): void {
  if (user.value['auth-provider'] !== undefined && user.value['auth-provider'] !== null) {
    throw new KubeconfigError(
      `${user.file}: user "${user.name}" uses an auth-provider, which Kubernetes removed in 1.26. Use a client certificate, a token, a tokenFile or a plugin (exec)`,
    );
  }
}

async function readCredentials(user: Entry): Promise<Credentials> {
  const clientCert = await readPem(user, 'client-certificate');
  const clientKey = await readPem(user, 'client-key');
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    const [there, missing] =
      clientCert === undefined ? ['client-key', 'client-certificate'] : ['client-certificate', 'client-key'];
    throw new KubeconfigError(`${user.file}: user "${user.name}" has a ${there} but no ${missing}`);
  }
  if (clientCert !== undefined && clientKey !== undefined) checkPair(clientCert, clientKey, user);
  const tokenFile = pathField(user, 'tokenFile');
  const token =
    tokenFile === undefined
      ? stringField(user, 'token')
      : (await readTextFile(tokenFile, `tokenFile of user "${user.name}" in ${user.file}`)).trim();
  const username = stringField(user, 'username');
  return {
    ...(clientCert === undefined ? {} : { clientCert }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(token === undefined ? {} : { token }),
    ...(username === undefined ? {} : { basic: { username, password: stringField(user, 'password') ?? '' } }),
  };
}

async function readPem(user: Entry, field: string): Promise<string | undefined> {
  const data = pemField(user, `${field}-data`);
  if (data !== undefined) return data;
  const path = pathField(user, field);
  return path === undefined ? undefined : await readTextFile(path, `${field} of user "${user.name}" in ${user.file}`);
}

function checkPair(certificate: string, key: string, user: Entry): void {
  let fits: boolean;
  try {
    fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    const message = `${user.file}: the client certificate or key of user "${user.name}" cannot be read (${errorMessage(cause)}). Both must be PEM, the key without a password`;
    throw new KubeconfigError(message, { cause });
  }
  if (!fits) {
    throw new KubeconfigError(`${user.file}: the client key of user "${user.name}" does not belong to its certificate`);
  }
}

function stringList(value: unknown, user: Entry, field: string): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new KubeconfigError(`${user.file}: ${field} of user "${user.name}" must be a list of strings`);
}
