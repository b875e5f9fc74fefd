// What the link agent costs: memory, idle CPU, latency and throughput against direct connections in the same run. Needs root, for a
// network of its own, and `npm run build`.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@spillway/kube';
import { linkServerName, type LinkService, linkVariables } from '@spillway/link-agent';
import { Upstream } from '../../../link-agent/src/dns/upstream.ts';
import { issue, makeAuthority } from '../../src/authorities/authority.ts';
import { LinkServer } from '../../src/link/link-server.ts';
import { type ProcessUsage, processUsage } from '../observe/process-usage.ts';
import { quantile } from '../observe/quantile.ts';

const ownNetwork = 'SPILLWAY_BENCH_NETWORK';
const endpoint = { address: '127.1.0.1', port: 9000 };
const roundTrips = 20_000;
const bytes = 2 * 1024 ** 3;
const idleSeconds = 20;
const connections = 1000;

if (process.env[ownNetwork] === undefined) {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, [ownNetwork]: '1' };
  const { status } = spawnSync('unshare', ['-n', 'sh', '-c', 'ip link set lo up; exec "$0" "$@"', ...again], {
    stdio: 'inherit',
    env,
  });
  process.exit(status ?? 1);
} else if (process.argv[2] === 'endpoint') {
  serveEndpoint();
} else {
  await measure();
}

/** Echoes what begins with an `e`, and counts the rest: then it answers when the client has ended. */
function serveEndpoint(): void {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.once('data', (first: Buffer) => {
      if (first[0] === 101) {
        socket.write(first);
        socket.pipe(socket);
        return;
      }
      socket.on('data', () => undefined);
      socket.on('end', () => socket.end('x'));
    });
    socket.on('error', () => socket.destroy());
  });
  server.listen(endpoint.port, endpoint.address, () => process.stdout.write('listening\n'));
}

function serviceNumber(index: number): LinkService {
  return {
    namespace: 'bench',
    name: `web-${index}`,
    kind: 'clusterIP',
    ports: [{ name: '', protocol: 'TCP', port: 80 }],
    groups: [
      { ports: [{ name: '', protocol: 'TCP', port: endpoint.port }], endpoints: [{ address: endpoint.address }] },
    ],
  };
}

/** Those of the image. */
async function nodeArguments(): Promise<readonly string[]> {
  const text = await readFile(path.join(import.meta.dirname, '../../../../Containerfile'), 'utf8');
  const [, words = '[]'] = /^ENTRYPOINT (\[.*link-agent.*\])$/m.exec(text) ?? [];
  const command: readonly string[] = JSON.parse(words);
  return command.slice(1, -1);
}

async function startLinkServer(): Promise<{
  readonly server: LinkServer;
  readonly port: number;
  readonly authority: string;
}> {
  const validity = { from: Date.now(), to: Date.now() + 3_600_000 };
  const authority = await makeAuthority(validity);
  const server = new LinkServer({
    catalogue: {
      hasSynced: true,
      get: (_, name) => serviceNumber(Number(name.slice(4))),
      resolvers: () => [],
      isNameServer: () => false,
    },
    access: { admit: async () => ({ namespace: 'bench', name: 'pod', uid: 'uid' }) },
    metrics: { loggedIn: () => undefined, messageSent: () => undefined },
    logger: silentLogger,
  });
  server.setTls(await issue(authority, [linkServerName], validity), authority.cert);
  const { port } = await server.listen(0, '127.0.0.1');
  return { server, port, authority: authority.cert };
}

async function measure(): Promise<void> {
  const main = path.join(import.meta.dirname, '../../../link-agent/dist/main.js');
  if (!existsSync(main)) throw new Error(`${main} is not there: run npm run build`);
  const { server, port, authority } = await startLinkServer();
  const token = path.join(os.tmpdir(), `link-bench-${process.pid}`);
  await writeFile(token, 'token');
  const echo = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'endpoint'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(echo.stdout, 'data');
  const agent = spawn(process.execPath, [...(await nodeArguments()), main], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      [linkVariables.servers]: `127.0.0.1:${port}`,
      [linkVariables.authorities]: authority,
      [linkVariables.tokenFile]: token,
      [linkVariables.domain]: 'cluster.local',
    },
  });
  agent.stdout.resume();
  try {
    await report(agent);
  } finally {
    agent.kill('SIGKILL');
    echo.kill('SIGKILL');
    await server.close();
  }
}

async function report(agent: ChildProcess): Promise<void> {
  const names = new Upstream({ servers: () => ['127.0.0.1'] });
  const addressOf = async (index: number): Promise<string> => {
    for (;;) {
      const answer = await names.ask({ name: `web-${index}.bench.svc.cluster.local`, type: 'A' });
      const [record] = answer?.answers ?? [];
      if (record?.type === 'A') return record.data;
      await sleep(100);
    }
  };
  const lines: string[] = [];
  let known = 0;
  for (const count of [1, 50, 500]) {
    for (; known < count; known += 1) await addressOf(known);
    await sleep(3000);
    lines.push(`memory with ${count} Services: ${mebibytes(await usageOf(agent))} MiB`);
  }
  const before = (await usageOf(agent)).cpuSeconds;
  await sleep(idleSeconds * 1000);
  const idle = ((await usageOf(agent)).cpuSeconds - before) / idleSeconds;
  lines.push(`idle CPU with 500 Services: ${(idle * 100).toFixed(3)} %`);

  const linked = { address: await addressOf(0), port: 80 };
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(linked)));
  for (const socket of sockets) {
    socket.write('e');
    await once(socket, 'data');
  }
  lines.push(`memory with 500 Services and ${connections} connections: ${mebibytes(await usageOf(agent))} MiB`);
  for (const socket of sockets) socket.destroy();
  const latencies = { direct: [] as number[], linked: [] as number[] };
  // In turns, so that what else the machine does concerns both.
  for (let turn = 0; turn < 10; turn += 1) {
    latencies.direct.push(...(await roundTripsTo(endpoint, roundTrips / 10)));
    latencies.linked.push(...(await roundTripsTo(linked, roundTrips / 10)));
  }
  for (const share of [0.5, 0.99]) {
    const [direct, through] = [latencies.direct, latencies.linked].map((taken) =>
      quantile(
        taken.toSorted((a, b) => a - b),
        share,
      ),
    );
    if (direct === undefined || through === undefined) continue;
    lines.push(
      `round trip p${share * 100}: direct ${direct.toFixed(3)} ms, through the agent ${through.toFixed(3)} ms, added ${(through - direct).toFixed(3)} ms`,
    );
  }
  const directly = await secondsToSend(endpoint);
  const cpuBefore = (await usageOf(agent)).cpuSeconds;
  const throughAgent = await secondsToSend(linked);
  const cpu = (await usageOf(agent)).cpuSeconds - cpuBefore;
  lines.push(
    `throughput of one connection: direct ${rate(directly)}, through the agent ${rate(throughAgent)} (${Math.round((100 * directly) / throughAgent)} %); agent alone ${rate(cpu)} per core`,
  );
  process.stdout.write(`${lines.join('\n')}\n`);
}

function mebibytes({ rssBytes }: ProcessUsage): string {
  return String(Math.round(rssBytes / 1024 ** 2));
}

function rate(seconds: number): string {
  return `${Math.round(bytes / seconds / 1e6)} MB/s`;
}

async function open({ address, port }: typeof endpoint): Promise<Socket> {
  const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** In milliseconds, on one connection. */
async function roundTripsTo(target: typeof endpoint, count: number): Promise<number[]> {
  const socket = await open(target);
  const taken: number[] = [];
  const message = Buffer.from('e');
  for (let done = 0; done < count + 100; done += 1) {
    const startedAt = performance.now();
    socket.write(message);
    await once(socket, 'data');
    // The first ones warm up.
    if (done >= 100) taken.push(performance.now() - startedAt);
  }
  socket.destroy();
  return taken;
}

async function secondsToSend(target: typeof endpoint): Promise<number> {
  const socket = await open(target);
  const part = Buffer.alloc(256 * 1024, 's');
  const startedAt = performance.now();
  for (let sent = 0; sent < bytes; sent += part.length) {
    if (!socket.write(part)) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'data');
  socket.destroy();
  return (performance.now() - startedAt) / 1000;
}

async function usageOf({ pid }: ChildProcess): Promise<ProcessUsage> {
  if (pid === undefined) throw new Error('the agent does not run');
  return await processUsage(pid);
}
