import type { IncomingMessage, ServerResponse } from 'node:http';
import { readFault, type Faults } from './faults.ts';
import type { RegionFacts } from './facts.ts';
import { answer } from './gateway/answer.ts';
import { readBody } from './gateway/body.ts';
import type { Meter } from './meter/meter.ts';
import { at, parseJson } from './json.ts';
import type { Standing } from './rules/call.ts';
import type { Storage } from './storage/storage.ts';

export interface AdminDependencies {
  readonly token: string;
  readonly faults: Faults;
  readonly facts: Pick<RegionFacts, 'setStanding'>;
  readonly meter: Meter;
  readonly storage: Pick<Storage, 'create' | 'delete' | 'read'>;
  /** Of the account that orders file systems */
  readonly projectId: string;
  readonly setNetworksStuck: (stuck: boolean) => void;
  readonly dropWatches: () => void;
  readonly restartGateway: () => Promise<void>;
  readonly revokeTokens: () => void;
  readonly revokeAccessKey: (accessKey: string) => void;
  readonly stateOfAccessKey: (accessKey: string) => object;
}

type Action = (
  dependencies: AdminDependencies,
  name: string,
  body: unknown,
) => Promise<object | undefined> | object | undefined;

const actions: Readonly<Record<string, Action>> = {
  'GET faults': ({ faults }) => faults.list(),
  'POST faults': ({ faults }, _name, body) => {
    const fault = readFault(body);
    return fault === undefined ? undefined : faults.add(fault);
  },
  'DELETE faults': ({ faults }, name) => {
    if (name === '') faults.clear();
    else faults.remove(name);
    return {};
  },
  'GET meter': ({ meter }) => meter.read(),
  'GET shares': ({ storage }) => storage.read(),
  'POST shares': ({ storage, projectId }, _name, body) => {
    const kind = at(body, 'kind');
    return kind === 'sfs' || kind === 'sfs-turbo' ? storage.create(kind, projectId) : undefined;
  },
  'DELETE shares': async ({ storage }, name) => {
    await storage.delete(name);
    return {};
  },
  'PUT accounts': ({ facts }, name, body) => facts.setStanding(name, standingIn(body)),
  'PUT networks': ({ setNetworksStuck }, _name, body) => {
    setNetworksStuck(at(body, 'stuck') === true);
    return {};
  },
  'DELETE watches': ({ dropWatches }) => {
    dropWatches();
    return {};
  },
  'DELETE tokens': ({ revokeTokens }) => {
    revokeTokens();
    return {};
  },
  'GET access-keys': ({ stateOfAccessKey }, name) => stateOfAccessKey(name),
  'DELETE access-keys': ({ revokeAccessKey }, name) => {
    revokeAccessKey(name);
    return {};
  },
  'POST restart': async ({ restartGateway }) => {
    await restartGateway();
    return {};
  },
};

/** What only tests know: everything that can go wrong with a region, on request. */
export async function serveAdmin(
  dependencies: AdminDependencies,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.headers.authorization !== `Bearer ${dependencies.token}`) {
    answer(response, 401, {});
    return;
  }
  const [what = '', name = ''] = new URL(request.url ?? '/', 'http://admin').pathname.slice(1).split('/');
  const action = actions[`${request.method} ${what}`];
  const body = await readBody(request);
  if (action === undefined || body === undefined) {
    answer(response, 404, {});
    return;
  }
  const done = await action(dependencies, decodeURIComponent(name), parseJson(body));
  answer(response, done === undefined ? 400 : 200, done ?? {});
}

function standingIn(body: unknown): Partial<Standing> {
  const names = ['agency', 'arrears', 'frozen'] as const;
  return Object.fromEntries(
    names.map((name) => [name, at(body, name)]).filter(([, value]) => typeof value === 'boolean'),
  );
}
