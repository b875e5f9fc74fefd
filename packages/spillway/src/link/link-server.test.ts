import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { silentLogger } from '@spillway/kube';
import { linkPath, linkProtocol, linkServerName, type LinkService, type ServerMessage } from '@spillway/link-agent';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Link } from '../../../link-agent/src/link/link.ts';
import { issue, type KeyPair, makeAuthority } from '../authorities/authority.ts';
import type { Denial, LinkPod } from './access.ts';
import { LinkServer } from './link-server.ts';

const web = (port: number): LinkService => ({
  namespace: 'shop',
  name: 'web',
  kind: 'clusterIP',
  ports: [{ name: '', protocol: 'TCP', port }],
  groups: [],
});

let authority: KeyPair;
let certificate: KeyPair;
let other: KeyPair;
const validity = { from: Date.now(), to: Date.now() + 3_600_000 };

beforeAll(async () => {
  [authority, other] = await Promise.all([makeAuthority(validity), makeAuthority(validity)]);
  certificate = await issue(authority, [linkServerName], validity);
});

let server: LinkServer;
let port: number;
let known: Map<string, LinkService>;
let logins: string[];
const ending = new AbortController();
afterAll(() => ending.abort());

async function startServer(at = 0): Promise<void> {
  server = new LinkServer({
    catalogue: {
      hasSynced: true,
      get: (namespace, name) => known.get(`${namespace}/${name}`),
      resolvers: () => ['10.244.0.2'],
      isNameServer: () => false,
    },
    access: {
      admit: async (authorization): Promise<LinkPod | Denial> => {
        const uid = authorization?.replace('Bearer pod-', '') ?? '';
        return authorization?.startsWith('Bearer pod-') ? { namespace: 'shop', name: uid, uid } : 'unauthorized';
      },
    },
    metrics: { loggedIn: (result) => logins.push(result), messageSent: () => undefined },
    logger: silentLogger,
  });
  server.setTls(certificate, authority.cert);
  ({ port } = await server.listen(at, '127.0.0.1'));
}

beforeEach(async () => {
  [known, logins] = [new Map(), []];
  await startServer();
});
afterEach(() => server.close());

interface Agent {
  readonly link: Link;
  readonly messages: ServerMessage[];
  readonly states: string[];
  /** What the agent has been told of the Service last. */
  readonly last: () => unknown;
  readonly stop: () => Promise<void>;
}

function startAgent(
  token: string,
  names: readonly (readonly [string, string])[] = [],
  authorities = authority.cert,
): Agent {
  const stopping = new AbortController();
  const messages: ServerMessage[] = [];
  const states: string[] = [];
  const link = new Link({
    servers: [`127.0.0.1:${port}`],
    authorities,
    token: async () => token,
    names: () => names,
    onMessage: (message) => messages.push(message),
    onState: (state, why) => states.push(why === undefined ? state : `${state}: ${why}`),
    sleep: (ms, signal) => sleep(Math.min(ms, 20), undefined, { signal }).catch(() => undefined),
    random: Math.random,
  });
  const running = link.run(AbortSignal.any([stopping.signal, ending.signal]));
  const last = (): unknown => {
    const { service, absent } = messages.findLast((each) => each.service ?? each.absent) ?? {};
    return service?.ports[0]?.port ?? absent;
  };
  return {
    link,
    messages,
    states,
    last,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

describe('an agent', () => {
  test('gets the Services that it follows, and their changes', async () => {
    known.set('shop/web', web(80));
    const agent = startAgent('pod-1', [['shop', 'web']]);
    await expect.poll(agent.last).toBe(80);
    known.set('shop/web', web(81));
    server.changed('shop/web');
    await expect.poll(agent.last).toBe(81);
    known.delete('shop/web');
    server.changed('shop/web');
    await expect.poll(agent.last).toEqual(['shop', 'web']);
    expect([server.agents, server.followed]).toEqual([1, 1]);
    await agent.stop();
    await expect.poll(() => [server.agents, server.followed]).toEqual([0, 0]);
  });

  test('comes back when the server was away, and gets what has changed meanwhile', async () => {
    known.set('shop/web', web(80));
    const agent = startAgent('pod-1', [['shop', 'web']]);
    await expect.poll(agent.last).toBe(80);
    await server.close();
    await expect.poll(() => agent.states.at(-1)).toContain('lost');
    known.set('shop/web', web(82));
    await startServer(port);
    await expect.poll(agent.last).toBe(82);
    await agent.stop();
  });

  test('with a wrong token learns nothing', async () => {
    known.set('shop/web', web(80));
    const agent = startAgent('wrong', [['shop', 'web']]);
    await expect.poll(() => agent.states.at(-1)).toContain('401');
    expect([agent.messages, logins[0]]).toEqual([[], 'unauthorized']);
    await agent.stop();
  });

  test('does not send its token to a server for which nobody vouches', async () => {
    const agent = startAgent('pod-1', [], other.cert);
    await expect.poll(() => agent.states.length).toBeGreaterThan(0);
    expect(logins).toEqual([]);
    await agent.stop();
  });

  test('has one stream: a second one for the same pod ends the first', async () => {
    const first = startAgent('pod-1');
    await expect.poll(() => first.states).toEqual(['open']);
    const second = startAgent('pod-1');
    await expect.poll(() => first.states[1]).toContain('lost');
    await first.stop();
    await expect.poll(() => server.agents).toBe(1);
    await second.stop();
  });

  test('is told of new authorities', async () => {
    const agent = startAgent('pod-1');
    await expect.poll(() => agent.messages.length).toBeGreaterThan(1);
    server.setTls(certificate, `${authority.cert}${other.cert}`);
    await expect.poll(() => agent.messages.at(-1)?.authorities).toBe(`${authority.cert}${other.cert}`);
    await agent.stop();
  });
});

const open = (path: string, protocols: string[], token = 'pod-1'): WebSocket =>
  new WebSocket(`wss://127.0.0.1:${port}${path}`, protocols, {
    rejectUnauthorized: false,
    headers: { authorization: `Bearer ${token}` },
  });

describe('whoever is no agent', () => {
  test.each([
    ['/link/v2', [linkProtocol]],
    [linkPath, ['other']],
  ])('finds nothing at %s with %s', async (path, protocols) => {
    await expect(once(open(path, protocols), 'open')).rejects.toThrow('404');
  });

  test.each([['hello'], [Buffer.from('{}')], ['x'.repeat(70_000)]])('is cut off: %#', async (data) => {
    const socket = open(linkPath, [linkProtocol]);
    await once(socket, 'open');
    socket.send(data);
    socket.on('error', () => undefined);
    const [code]: number[] = await once(socket, 'close');
    expect([1003, 1006, 1008, 1009]).toContain(code);
  });

  test('and says nothing is let go, as are bytes that are no request', async () => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.write(Buffer.alloc(100, 0xff));
    socket.resume();
    socket.on('error', () => undefined);
    await once(socket, 'close');
    const agent = startAgent('pod-1');
    await expect.poll(() => agent.states).toEqual(['open']);
    await agent.stop();
  });
});
