import { existsSync } from 'node:fs';
import { type KubeClient, silentLogger } from '@spillway/kube';
import { namedFiles } from '../addon/installation/named-files.ts';
import { diagnoseCci } from '../backends/cci/doctor/diagnose.ts';
import { inspectCci } from '../backends/cci/doctor/inspect.ts';
import { supports } from '../backends/support.ts';
import type { Config, PoolConfig } from '../config/config.ts';
import { readView } from '../diagnosis/doctor/read-view.ts';
import type { PreflightFinding } from '../install/preflight.ts';
import { reasonOf } from '../removal/persist.ts';
import { makeBackend } from '../serve/backends.ts';

export interface BackendCheck {
  readonly client: KubeClient;
  readonly config: Config;
  readonly clusterId: string;
  readonly tell: (line: string) => void;
}

const pingMs = 15_000;

/** Do the accounts and clusters behind the pools answer, with these credentials, from this machine? */
export async function checkBackends(options: BackendCheck, signal: AbortSignal): Promise<readonly PreflightFinding[]> {
  const { config, tell } = options;
  const missing = new Set(namedFiles(config).flatMap(({ path: [, index], file }) => (existsSync(file) ? [] : [index])));
  const findings: PreflightFinding[] = [];
  // One after the other: pools may share an account, and a refusal counts for its key.
  for (const [index, pool] of config.pools.entries()) {
    if (pool.backend.type === 'simulated') continue;
    if (missing.has(index)) {
      tell(
        `Pool ${pool.name}: its backend is not asked, because the files with its credentials are not on this machine`,
      );
      continue;
    }
    tell(`Pool ${pool.name}: does its backend answer?`);
    findings.push(...(await findingsOf(options, pool, signal)));
  }
  return findings;
}

async function findingsOf(
  { client, clusterId }: BackendCheck,
  pool: PoolConfig,
  signal: AbortSignal,
): Promise<readonly PreflightFinding[]> {
  const { name, nodeName, backend, dns, interconnect } = pool;
  if (backend.type === 'cci') {
    const quiet = { environment: process.env, logger: silentLogger, onProgress: () => {} };
    const account = await inspectCci({ backend, clusterId, testImage: undefined, ...quiet }, signal);
    const cluster = await readView(client, supports);
    return diagnoseCci({
      pool: name,
      nodeName,
      backend,
      dnsServers: dns.clusterDNS,
      interconnect,
      account,
      cluster,
    }).flatMap(({ severity, code, message, remedy }) =>
      severity === 'info' ? [] : [{ severity, message: `pool ${name}: ${code}: ${message}`, remedy }],
    );
  }
  const surroundings = { environment: process.env, beforeSend: () => {}, logger: silentLogger };
  const made = makeBackend(pool, { ...surroundings, owner: { clusterId, nodeName } });
  try {
    await made.ping(AbortSignal.any([signal, AbortSignal.timeout(pingMs)]));
    return [];
  } catch (error) {
    signal.throwIfAborted();
    // Its namespace is made when it is prepared.
    if (/not found/i.test(reasonOf(error))) return [];
    return [{ severity: 'error', message: `pool ${name}: its backend does not answer: ${reasonOf(error)}` }];
  } finally {
    await made.close();
  }
}
