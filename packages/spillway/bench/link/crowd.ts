// Many link agents lose their server at the same moment: how long it takes until all are back, and what that costs the server. They
// are streams of two processes, without containers.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@spillway/kube';
import { linkServerName } from '@spillway/link-agent';
import { issue, type KeyPair, makeAuthority } from '../../src/authorities/authority.ts';
import { LinkAccess } from '../../src/link/access.ts';
import { LinkServer } from '../../src/link/link-server.ts';
import { startAgents } from './agents.ts';

const processes = 2;
/** What the API server was asked. */
let reviews = 0;

async function startServer(certificate: KeyPair, authorities: string, port: number): Promise<[LinkServer, number]> {
  // All agents have the address of this machine, which pods do not.
  const many = { perSecond: 1e6, burst: 1e6, underWay: 1e6 };
  const server = new LinkServer({
    catalogue: {
      hasSynced: true,
      get: (namespace, name) =>
        name === 'none' ? undefined : { namespace, name, kind: 'clusterIP', ports: [], groups: [] },
      resolvers: () => ['10.0.0.1'],
      isNameServer: () => false,
    },
    access: new LinkAccess({
      review: async (token) => {
        reviews += 1;
        await sleep(5);
        return { namespace: 'shop', name: token, uid: token };
      },
      perAddress: many,
      now: Date.now,
    }),
    metrics: { loggedIn: () => undefined, messageSent: () => undefined },
    logger: silentLogger,
    strangers: { perAddress: 1e6, inAll: 1024, openMs: 10_000, bytes: 64 * 1024 },
  });
  server.setTls(certificate, authorities);
  const bound = await server.listen(port, '127.0.0.1');
  return [server, bound.port];
}

async function measure(agents: number): Promise<void> {
  const validity = { from: Date.now(), to: Date.now() + 3_600_000 };
  const authority = await makeAuthority(validity);
  const certificate = await issue(authority, [linkServerName], validity);
  const before = process.memoryUsage().rss;
  const [first, port] = await startServer(certificate, authority.cert, 0);
  const each = Math.ceil(agents / processes);
  const children = await Promise.all(
    Array.from({ length: processes }, (_, process) => {
      const tokens = Array.from({ length: each }, (_token, index) => `pod-${process * each + index}`);
      return startAgents({ port, authorities: authority.cert, tokens });
    }),
  );
  await report('first', first, each * processes);
  const bytes = (process.memoryUsage().rss - before) / (each * processes);
  process.stdout.write(`memory of the server: ${Math.round(bytes / 1024)} KiB for each agent\n`);
  await first.close();
  const [second] = await startServer(certificate, authority.cert, port);
  await report('after the server was restarted', second, each * processes);
  for (const child of children) child.kill('SIGKILL');
  await second.close();
}

async function report(when: string, server: LinkServer, agents: number): Promise<void> {
  reviews = 0;
  const startedAt = performance.now();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  while (server.agents < agents) await sleep(50);
  delay.disable();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const blocked = [delay.percentile(99), delay.max].map((nanoseconds) => Math.round(nanoseconds / 1e6));
  process.stdout.write(
    `${when}: ${agents} agents after ${seconds} s, ${reviews} token reviews, event loop blocked for ${blocked[0]} ms (p99), ${blocked[1]} ms (max)\n`,
  );
}

await measure(Number(process.argv[2] ?? 2000));
