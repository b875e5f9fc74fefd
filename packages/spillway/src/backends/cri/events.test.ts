import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { silentLogger, systemClock } from '@spillway/kube';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../testkit/eventually.ts';
import { trusted } from '../trusted.ts';
import { RuntimeClient } from './client/runtime-client.ts';
import { followEvents } from './events.ts';

type Events = ServerWritableStream<unknown, unknown>;

const definition = loadSync(fileURLToPath(new URL('./api.proto', import.meta.url)));

let folder: string;
let server: Server;
let client: RuntimeClient;
let leaving: AbortController;
let following: Promise<void>;
let seen: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-events-'));
  server = new Server();
  leaving = new AbortController();
  seen = [];
});

afterEach(async () => {
  leaving.abort();
  await following;
  client.close();
  server.forceShutdown();
  await rm(folder, { recursive: true });
});

/** Serves the CRI with these methods only, and follows its events. */
async function follow(methods: Record<string, (stream: Events) => void>): Promise<void> {
  server.addService(trusted(definition['runtime.v1.RuntimeService']), trusted(methods));
  const socket = join(folder, 'runtime.sock');
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  client = new RuntimeClient(socket);
  const clock = {
    now: () => systemClock.now(),
    sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(1, signal),
  };
  following = followEvents({ client, clock, logger: silentLogger }, (uid) => seen.push(uid), leaving.signal);
}

const event = (uid: string): object => ({ containerId: 'c', podSandboxStatus: { metadata: { uid } } });

test('events name their pod, also after the connection was lost', async () => {
  let connections = 0;
  await follow({
    GetContainerEvents: (stream) => {
      connections += 1;
      stream.write(event(`${connections}-a`));
      stream.write(event(`${connections}-b`));
      if (connections === 1) stream.end();
    },
  });
  await eventually('events of two connections', () => seen.length >= 4);
  expect(seen).toEqual(['1-a', '1-b', '2-a', '2-b']);
});

test('a runtime without events, as containerd 1.6, is not asked again', async () => {
  await follow({});
  await following;
  expect(seen).toEqual([]);
});
