import { dirname, resolve } from 'node:path';
import { KubeconfigError } from '../errors.ts';
import type { ClusterConfig } from './cluster-config.ts';
import type { Credentials } from './credentials.ts';
import { type Entry, isRecord } from './kubeconfig-file.ts';

/** A program that makes credentials, as `users[].user.exec` of a kubeconfig describes it. */
export interface ExecPlugin {
  /** For messages: file and user */
  readonly source: string;
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly installHint: string | undefined;
  readonly provideClusterInfo: boolean;
}

export interface ExecAnswer {
  readonly credentials: Credentials;
  /** Milliseconds since the epoch */
  readonly expiresAt: number | undefined;
}

/** What a plugin may be told of the cluster. */
export type ExecCluster = Pick<ClusterConfig, 'server' | 'ca' | 'insecureSkipTlsVerify' | 'tlsServerName'> & {
  /** The cluster's extension named client.authentication.k8s.io/exec */
  readonly config?: unknown;
};

const group = 'client.authentication.k8s.io';
const versions: readonly string[] = [`${group}/v1`, `${group}/v1beta1`];
const modes: readonly unknown[] = ['Never', 'IfAvailable', 'Always'];
const otherWays = ['token', 'tokenFile', 'username', 'client-certificate', 'client-certificate-data'];

/** @throws KubeconfigError */
export function execPlugin(user: Entry): ExecPlugin | undefined {
  const exec = user.value['exec'];
  if (exec === undefined || exec === null) return undefined;
  const source = `${user.file}: user "${user.name}"`;
  const refuse = (what: string): never => {
    throw new KubeconfigError(`${source}: ${what}`);
  };
  if (!isRecord(exec)) return refuse('exec must be a mapping');
  const { apiVersion, command, args, env, installHint, interactiveMode, provideClusterInfo } = exec;
  if (typeof command !== 'string' || command === '') return refuse('exec.command must name the program to run');
  if (typeof apiVersion !== 'string' || !versions.includes(apiVersion)) {
    return refuse(`exec.apiVersion must be one of ${versions.join(', ')}. Is the plugin "${command}" up to date?`);
  }
  const other = otherWays.find((field) => user.value[field] !== undefined && user.value[field] !== '');
  if (other !== undefined) refuse(`it sets both exec and ${other}. Remove one`);
  const needsMode = apiVersion === `${group}/v1`;
  if ((needsMode || isSet(interactiveMode)) && !modes.includes(interactiveMode)) {
    refuse(`exec.interactiveMode must be one of ${modes.join(', ')}`);
  }
  if (interactiveMode === 'Always') {
    refuse(
      `the plugin "${command}" needs a terminal (exec.interactiveMode: Always), but there is none. Use a plugin that needs no terminal, a client certificate, a token or a tokenFile`,
    );
  }
  if (isSet(args) && !isTextList(args)) refuse('exec.args must be a list of strings');
  return {
    source,
    apiVersion,
    // As in kubectl: a path is relative to the file, a plain name is looked up in PATH.
    command: command.includes('/') ? resolve(dirname(user.file), command) : command,
    args: isTextList(args) ? args : [],
    env: environmentOf(env, refuse),
    installHint: typeof installHint === 'string' && installHint.trim() !== '' ? installHint.trim() : undefined,
    provideClusterInfo: provideClusterInfo === true,
  };
}

function environmentOf(env: unknown, refuse: (what: string) => never): Record<string, string> {
  const found: Record<string, string> = {};
  if (!isSet(env)) return found;
  for (const entry of Array.isArray(env) ? env : [undefined]) {
    const { name, value }: Record<string, unknown> = isRecord(entry) ? entry : {};
    if (typeof name !== 'string' || typeof value !== 'string')
      return refuse('exec.env must be a list of name and value');
    found[name] = value;
  }
  return found;
}

/** Value of KUBERNETES_EXEC_INFO. */
export function execInfo({ apiVersion, provideClusterInfo }: ExecPlugin, cluster: ExecCluster): string {
  const { server, ca, insecureSkipTlsVerify, tlsServerName, config } = cluster;
  const about = {
    server,
    'tls-server-name': tlsServerName,
    'insecure-skip-tls-verify': insecureSkipTlsVerify || undefined,
    'certificate-authority-data': ca === undefined ? undefined : Buffer.from(ca).toString('base64'),
    config: config ?? undefined,
  };
  const spec = { interactive: false, ...(provideClusterInfo ? { cluster: about } : {}) };
  return JSON.stringify({ kind: 'ExecCredential', apiVersion, spec });
}

/** What the plugin printed. Errors never repeat it. @throws Error that says what is wrong with it */
export function parseExecAnswer(stdout: string, { apiVersion }: Pick<ExecPlugin, 'apiVersion'>): ExecAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    // The parser's message quotes the text.
    throw new Error(stdout.trim() === '' ? 'it printed nothing' : 'it did not print JSON');
  }
  if (!isRecord(answer) || answer['kind'] !== 'ExecCredential') throw new Error('it did not print an ExecCredential');
  if (answer['apiVersion'] !== apiVersion) {
    throw new Error(`it answered in another version than the kubeconfig names (exec.apiVersion ${apiVersion})`);
  }
  const { status } = answer;
  if (!isRecord(status)) throw new Error('its ExecCredential has no status');
  const token = text(status, 'token');
  const clientCert = text(status, 'clientCertificateData');
  const clientKey = text(status, 'clientKeyData');
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw new Error('it gave only one of clientCertificateData and clientKeyData');
  }
  if (token === undefined && clientCert === undefined) throw new Error('it gave neither a token nor a certificate');
  return {
    credentials: {
      ...(token === undefined ? {} : { token }),
      ...(clientCert === undefined || clientKey === undefined ? {} : { clientCert, clientKey }),
    },
    expiresAt: expiryOf(text(status, 'expirationTimestamp')),
  };
}

function expiryOf(timestamp: string | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  const at = Date.parse(timestamp);
  if (Number.isNaN(at)) throw new Error('its expirationTimestamp is not a time');
  return at;
}

function text(status: Record<string, unknown>, field: string): string | undefined {
  const value = status[field];
  if (!isSet(value) || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new Error(`its ${field} is not a string`);
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null;
const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
