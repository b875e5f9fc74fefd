import type { LinkService } from '@spillway/link-agent';
import { beforeEach, describe, expect, test } from 'vitest';
import { Session } from './session.ts';

const service = (name: string, port: number): LinkService => ({
  namespace: 'shop',
  name,
  kind: 'clusterIP',
  ports: [{ name: '', protocol: 'TCP', port }],
  groups: [],
});

let sent: string[];
let waiting: (() => void)[];
let bufferedBytes: number;
let closed: string[];
let hasSynced: boolean;
let known: Map<string, LinkService>;
let followers: string[];
let session: Session;

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** What the agent is told of Services. */
const told = (): string[] =>
  sent.splice(0).flatMap((text) => {
    const message: { service?: LinkService; absent?: [string, string] } = JSON.parse(text);
    if (message.service) return `${message.service.name} ${message.service.ports[0]?.port}`;
    return message.absent ? `no ${message.absent[1]}` : [];
  });

beforeEach(async () => {
  [sent, waiting, bufferedBytes, closed, hasSynced, known, followers] = [[], [], 0, [], true, new Map(), []];
  session = new Session({
    outlet: {
      send: (text, done) => {
        sent.push(text);
        waiting.push(done);
      },
      get bufferedBytes() {
        return bufferedBytes;
      },
      close: (why) => closed.push(why),
    },
    catalogue: {
      get hasSynced() {
        return hasSynced;
      },
      get: (namespace, name) => known.get(`${namespace}/${name}`),
      resolvers: () => ['10.244.0.2'],
    },
    authorities: 'PEM',
    onFollow: (key) => followers.push(`+${key}`),
    onUnfollow: (key) => followers.push(`-${key}`),
    onSent: () => undefined,
  });
  await settle();
});

const follow = (...names: string[]): void =>
  session.received(JSON.stringify({ follow: names.map((name) => ['shop', name]) }));

function change(name: string, port: number): void {
  known.set(`shop/${name}`, service(name, port));
  session.changed(`shop/${name}`);
}

test('an agent is told whom to trust and where other names are known', () => {
  expect(sent).toEqual(['{"authorities":"PEM"}', '{"resolvers":["10.244.0.2"]}']);
});

describe('a Service that is followed', () => {
  test('is sent, and each time it changes; others are not', async () => {
    known.set('shop/web', service('web', 80));
    follow('web', 'none');
    await settle();
    expect(told()).toEqual(['web 80', 'no none']);
    change('web', 81);
    change('db', 82);
    change('none', 83);
    await settle();
    expect(told()).toEqual(['web 81', 'none 83']);
    expect(followers).toEqual(['+shop/web', '+shop/none']);
  });

  test('is sent once, as it is then, when it changes while the agent does not read', async () => {
    follow('web', 'db');
    await settle();
    told();
    bufferedBytes = 1_000_000;
    for (let port = 1; port <= 50; port += 1) change('web', port);
    change('db', 5);
    await settle();
    expect(told()).toEqual([]);
    bufferedBytes = 0;
    for (const done of waiting.splice(0)) done();
    await settle();
    expect(told()).toEqual(['web 50', 'db 5']);
  });

  test('is sent no more when nobody follows it', async () => {
    follow('web');
    await settle();
    told();
    change('web', 1);
    session.received('{"unfollow":[["shop","web"]]}');
    change('web', 2);
    await settle();
    expect(told()).toEqual([]);
    expect(followers).toEqual(['+shop/web', '-shop/web']);
  });

  test('is not called absent before all Services are known', async () => {
    hasSynced = false;
    follow('web');
    await settle();
    expect(told()).toEqual([]);
    hasSynced = true;
    known.set('shop/web', service('web', 80));
    session.synced();
    await settle();
    expect(told()).toEqual(['web 80']);
  });
});

test('who sends something else, or follows too much, is cut off', () => {
  session.received('hello');
  for (let at = 0; at < 4100; at += 100) follow(...Array.from({ length: 100 }, (_, index) => `web-${at + index}`));
  expect(closed).toEqual(['not a message of the protocol', 'more than 4096 Services are followed']);
  expect(session.size).toBe(4096);
});
