import { type ApiError, KubeClient, missingRightOf } from '@spillway/kube';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { KubernetesConfig } from '../config/config.ts';
import { kubernetesAccess, processEnvironment } from '../config/kubernetes-access.ts';
import { clusterConfig } from '../serve/connect.ts';
import { ownVersion } from './own-version.ts';
import { note, type Terminal } from './terminal.ts';

export interface ClusterOptions extends KubernetesConfig {
  /** Milliseconds. */
  readonly requestTimeout?: number;
}

const usualTimeoutMs = 30_000;
const longestTimeoutMs = 2 ** 31 - 1;
/** Who waits for so long without a word wonders whether anything happens. */
const firstWordMs = 3000;
const nextWordMs = 10_000;

/** The options with which every command finds its cluster, named as kubectl's. */
export function withClusterOptions(command: Command): Command {
  return command
    .option(
      '--kubeconfig <file>',
      'kubeconfig file (default: the service account inside a cluster, else $KUBECONFIG, else ~/.kube/config)',
    )
    .option('--context <name>', 'context of the kubeconfig')
    .addOption(
      new Option(
        '--request-timeout <duration>',
        'how long to wait for each answer of the API server, for example 5s or 2m; 0: for ever',
      )
        .argParser(timeoutOf)
        .default(usualTimeoutMs, '30s'),
    );
}

/** Runs `work` with the user's own rights. Says what is waited for when that takes long, unless the work itself does. */
export async function inCluster<T>(
  { requestTimeout = usualTimeoutMs, ...access }: ClusterOptions,
  terminal: Terminal,
  work: (client: KubeClient) => Promise<T>,
  { tells = false }: { readonly tells?: boolean } = {},
): Promise<T> {
  const config = await clusterConfig(kubernetesAccess(access, processEnvironment()));
  const limit = requestTimeout === longestTimeoutMs ? '' : `at most ${requestTimeout / 1000} s, `;
  const waiting = `waiting for the API server at ${config.server} (${limit}Ctrl-C to give up)`;
  let tellAt = Date.now() + firstWordMs;
  const client = new KubeClient({
    config,
    userAgent: `spillway-cli/${await ownVersion()}`,
    timeoutMs: requestTimeout,
    remedyOf,
    onRequest: () => {
      tellAt = Math.max(tellAt, Date.now() + firstWordMs);
    },
    // A person waits, and sends little.
    lanes: { default: { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 16 } },
  });
  const timer = setInterval(() => {
    if (tells || Date.now() < tellAt) return;
    note(terminal, waiting);
    tellAt = Date.now() + nextWordMs;
  }, 500);
  try {
    return await work(client);
  } finally {
    clearInterval(timer);
    await client.close();
  }
}

/** What to do about an answer that is about who asks. */
function remedyOf(error: ApiError): string | undefined {
  if (error.kind === 'unauthorized') {
    return 'The credentials have expired or belong to another cluster: log in again, or choose others with --kubeconfig and --context';
  }
  const missing = missingRightOf(error);
  if (missing === undefined) return undefined;
  const { user, verb, resource } = missing;
  return `Use credentials that may ${verb} ${resource} (--kubeconfig, --context), or have an administrator grant it to ${user}`;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** As kubectl takes it: a number alone is seconds, and 0 is no limit. */
function timeoutOf(text: string): number {
  const [, count, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('It must be a duration such as 5s, 2m or 0.');
  const ms = Math.round(Number(count) * (units[unit] ?? 1000));
  return ms === 0 ? longestTimeoutMs : Math.min(ms, longestTimeoutMs);
}
