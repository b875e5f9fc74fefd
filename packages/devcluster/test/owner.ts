// A process that owns a cluster and waits to be killed: `node owner.ts NAME`. Says when the cluster is up.
import { startCluster } from '../src/index.ts';

const [name = ''] = process.argv.slice(2);
const cluster = await startCluster({ name });
await cluster.kubectl(['run', 'sleeper', '--image=busybox', '--', 'sleep', '1000']);
await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/sleeper', '--timeout=120s']);
process.stdout.write('up\n');
setInterval(() => {}, 60_000);
