// The process that is killed: one pool, whose backend and API server are reached through the process that started it.
import { once } from 'node:events';
import { KubeClient, staticCredentials } from '@spillway/kube';
import { trusted } from '../../backends/trusted.ts';
import { createLogger } from '../../observability/logger.ts';
import { Metrics } from '../../observability/metrics.ts';
import { clusterUid } from '../connect.ts';
import { assemblePool } from '../../pool/assemble.ts';
import { LentBackend, type Told } from './lent-backend.ts';

process.once('disconnect', () => process.exit());
const [message] = await once(process, 'message');
const begin = trusted<Extract<Told, { kind: 'begin' }>>(message);
const { clusterId, pool } = begin;
const logger = createLogger({ level: 'info' });
const controller = new KubeClient({
  config: {
    server: begin.server,
    insecureSkipTlsVerify: false,
    namespace: 'default',
    credentials: staticCredentials({}),
    source: 'the test',
  },
  logger,
});
await assemblePool({
  config: pool,
  clusterId,
  serverVersion: 'v1.36.0',
  ownVersion: 'test',
  makeBackend: () => new LentBackend(),
  address: pool.address ?? '127.0.0.1',
  controller,
  confirmCluster: async (signal) => (await clusterUid(controller, signal)) === clusterId,
  metrics: new Metrics(),
  logger,
}).run(new AbortController().signal);
