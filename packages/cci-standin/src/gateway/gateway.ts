import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@spillway/kube';
import type { Identity } from '../accounts.ts';
import type { RegionFacts } from '../facts.ts';
import type { Fault, FaultKind, Faults } from '../faults.ts';
import { isObject, listAt, objectAt, parseJson, textAt, type JsonObject } from '../json.ts';
import { apiRefusal, gatewayRefusal, type Refusal } from '../refusal.ts';
import type { MetricsApi } from '../metrics/metrics-api.ts';
import type { Call, RuleOptions } from '../rules/call.ts';
import { isStorageType, typeIn } from '../rules/claims.ts';
import { judge } from '../rules/judge.ts';
import { findRoute, metricsGroupVersion, storedGroupVersion } from '../rules/routes.ts';
import type { Storage } from '../storage/storage.ts';
import { upstreamBody, upstreamHeaders, upstreamTarget } from './adapt.ts';
import { agencyAnswer } from './agency.ts';
import { answer, refuse, refuseUpgrade } from './answer.ts';
import { requestingAsMade } from './asked.ts';
import { authenticate, type AuthenticationSources } from './authenticate.ts';
import { readBody } from './body.ts';
import { type Change, keepingRequests, mayLoseRequests } from './changes.ts';
import { discoveryOf } from './discovery.ts';
import { describesPods, withPods } from './pods-in.ts';
import { rewriteLines, rewriteWhole } from './rewriting.ts';
import { headOf, splice } from './splice.ts';
import { spoil } from './spoil.ts';
import { stored, type StoredCall } from './stored.ts';
import type { Upstream } from './upstream.ts';
import { shownDocument } from './v2.ts';

export interface GatewayDependencies {
  readonly sources: AuthenticationSources;
  readonly facts: Pick<RegionFacts, 'factsFor' | 'projectOf' | 'standingOf' | 'setStanding'>;
  readonly faults: Faults;
  readonly storage: Pick<Storage, 'imported' | 'stored' | 'keep' | 'imports'>;
  readonly upstream: Upstream;
  readonly metrics: Pick<MetricsApi, 'answer'>;
  readonly rules: RuleOptions;
  readonly clock: Clock;
}

type Met = ReadonlyMap<FaultKind['kind'], Fault>;

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'proxy-authenticate', 'trailer']);

/** What stands between the clients of the region and its API server. */
export class Gateway {
  readonly #dependencies: GatewayDependencies;
  readonly #watches = new Set<() => void>();

  constructor(dependencies: GatewayDependencies) {
    this.#dependencies = dependencies;
  }

  /** Breaks all watches that are open. */
  dropWatches(): void {
    for (const drop of this.#watches) drop();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('Date', new Date(this.#dependencies.clock.now()).toUTCString());
    const body = await readBody(request);
    if (body === undefined) {
      refuse(response, gatewayRefusal(413, 'APIGW.0201', 'Request entity too large'));
      return;
    }
    const { pathname } = urlOf(request);
    const met = this.#dependencies.faults.take(request.method ?? '', pathname);
    const spoilt = await spoil(met, this.#dependencies.clock);
    if (spoilt !== undefined) {
      if (spoilt.status === 429) response.setHeader('Retry-After', '1');
      refuse(response, spoilt);
      return;
    }
    const identified = authenticate(this.#dependencies.sources, signedRequest(request, body));
    if ('refusal' in identified) {
      refuse(response, identified.refusal);
      return;
    }
    if (pathname === '/v1/agency') {
      agencyAnswer(this.#dependencies.facts, request.method ?? '', identified.identity, response);
      return;
    }
    const admitted = await this.#admit(request, body, identified.identity);
    if ('from' in admitted) refuse(response, admitted);
    else if (admitted.call.route.groupVersion === metricsGroupVersion) await this.#measure(admitted.call, response);
    else if (admitted.call.route.resource === 'extended-persistentvolumeclaims') {
      answer(response, 200, await this.#imports(admitted.call));
    } else await this.#forward(admitted, request, body, response, met);
  }

  async handleUpgrade(request: IncomingMessage, socket: Duplex, early: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const body = new Uint8Array();
    const { faults, clock } = this.#dependencies;
    const spoilt = await spoil(faults.take(request.method ?? '', urlOf(request).pathname), clock);
    const identified = authenticate(this.#dependencies.sources, signedRequest(request, body));
    const admitted =
      spoilt ?? ('refusal' in identified ? identified.refusal : await this.#admit(request, body, identified.identity));
    if ('from' in admitted) {
      refuseUpgrade(socket, admitted);
      return;
    }
    const { call, pathname } = admitted;
    if (call.route.subresource !== 'exec') {
      refuseUpgrade(socket, apiRefusal(400, 'BadRequest', 'only exec can be upgraded'));
      return;
    }
    const closed = abortOnClose(socket);
    const upgraded = await this.#dependencies.upstream.upgrade({
      method: call.method,
      target: upstreamTarget(pathname, call),
      headers: upstreamHeaders(request.headers, call.identity, 'upgrade'),
      signal: closed,
    });
    if (upgraded.kind === 'upgraded') {
      splice(socket, early, upgraded);
      this.#cutWhenExpired(call.identity, closed, () => socket.destroy());
      return;
    }
    socket.write(headOf(upgraded.response, hopByHop));
    await pipeline(upgraded.response, socket);
  }

  async #admit(request: IncomingMessage, body: Uint8Array, identity: Identity): Promise<StoredCall | Refusal> {
    const { facts, rules, sources, storage } = this.#dependencies;
    const { pathname, searchParams } = urlOf(request);
    const method = request.method ?? '';
    const route = findRoute(method, pathname);
    if ('from' in route) return route;
    const userToken = request.headers['x-user-token'];
    const call: Call = {
      method,
      route,
      query: searchParams,
      contentType: (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '',
      body: parseJson(body),
      hasBody: body.length > 0,
      identity,
      hasUserToken: typeof userToken === 'string' && sources.tokens.identityOf(userToken) !== undefined,
    };
    const refusal = judge(call, await facts.factsFor(call), rules);
    return refusal ?? stored(call, pathname, storage);
  }

  /** Claims by which disks were imported, unless another type is asked for. */
  #imports({ route, query }: Call): Promise<readonly object[]> {
    const type = typeIn(query) ?? 'bs';
    const { namespace = '' } = route;
    return isStorageType(type) ? this.#dependencies.storage.imports(namespace, type) : Promise.resolve([]);
  }

  async #measure(call: Call, response: ServerResponse): Promise<void> {
    const told = await this.#dependencies.metrics.answer(call);
    if ('from' in told) refuse(response, told);
    else answer(response, 200, told);
  }

  async #forward(
    { call, pathname }: StoredCall,
    request: IncomingMessage,
    body: Uint8Array,
    response: ServerResponse,
    met: Met,
  ): Promise<void> {
    const closed = abortOnClose(response);
    const rewrite = rewritingOf(call);
    const own = isOfV2(call) && isObject(call.body) ? call.body : undefined;
    const rewritten = upstreamBody(call, { soldOut: met.has('soldOut') }) ?? own;
    const change = await this.#keepingRequests({ call, pathname }, rewritten, closed);
    if ('refusal' in change) {
      refuse(response, change.refusal);
      return;
    }
    const bytes = change.body === undefined ? body : Buffer.from(JSON.stringify(change.body));
    const headers = upstreamHeaders(request.headers, call.identity, 'plain');
    const whole = readsWhole(call);
    const upstream = await this.#dependencies.upstream.send({
      method: call.method,
      target: upstreamTarget(pathname, call),
      headers: {
        ...headers,
        ...(whole || isOfV2(call) ? { accept: 'application/json' } : {}),
        ...(whole || rewrite !== undefined ? { 'accept-encoding': 'identity' } : {}),
      },
      ...(bytes.length > 0 ? { body: bytes } : {}),
      signal: met.has('lostAnswer') || met.has('halfCreated') ? new AbortController().signal : closed,
    });
    if (met.has('lostAnswer')) {
      await drained(upstream);
      response.destroy();
    } else if (met.has('halfCreated')) {
      await drained(upstream);
      refuse(response, apiRefusal(500, 'InternalError', 'internal error'));
    } else if (whole && upstream.statusCode === 200) {
      answer(response, 200, this.#filtered(call, await drained(upstream)));
    } else {
      await this.#relay(call, upstream, response, closed, rewrite);
    }
  }

  async #keepingRequests(
    { call, pathname }: StoredCall,
    body: JsonObject | undefined,
    signal: AbortSignal,
  ): Promise<Change> {
    if (body === undefined || !mayLoseRequests(call)) return { body };
    const headers = upstreamHeaders({ accept: 'application/json' }, call.identity, 'plain');
    const found = await this.#dependencies.upstream.send({ method: 'GET', target: pathname, headers, signal });
    const current = parseJson(await drained(found));
    // To what is not there, or not for this caller, the API server says no by itself.
    return found.statusCode === 200 ? keepingRequests(call, body, objectAt({ current }, 'current')) : { body };
  }

  /** As it comes, piece by piece. */
  async #relay(
    call: Call,
    upstream: IncomingMessage,
    response: ServerResponse,
    closed: AbortSignal,
    rewrite: Transform | undefined,
  ): Promise<void> {
    for (const [name, value] of Object.entries(upstream.headers)) {
      const isOurs = hopByHop.has(name) || name === 'date' || (rewrite !== undefined && name === 'content-length');
      if (value !== undefined && !isOurs) response.setHeader(name, value);
    }
    response.writeHead(upstream.statusCode ?? 502);
    response.flushHeaders();
    const drop = (): void => void response.destroy();
    if (isWatch(call)) this.#watches.add(drop);
    if (isWatch(call) || call.query.has('follow')) this.#cutWhenExpired(call.identity, closed, drop);
    try {
      await (rewrite === undefined ? pipeline(upstream, response) : pipeline(upstream, rewrite, response));
    } finally {
      this.#watches.delete(drop);
    }
  }

  #filtered({ route, identity }: Call, bytes: Buffer): object {
    const document = parseJson(bytes);
    if (route.resource !== '') {
      const own = (item: unknown): boolean =>
        this.#dependencies.facts.projectOf(textAt(item, 'metadata', 'namespace') ?? '') === identity.project.id;
      const list = { ...(isObject(document) ? document : {}), items: listAt(document, 'items').filter(own) };
      return objectAt({ list: withPods(route, list, requestingAsMade) }, 'list');
    }
    return discoveryOf(route.groupVersion, document);
  }

  #cutWhenExpired(identity: Identity, closed: AbortSignal, cut: () => void): void {
    const { clock } = this.#dependencies;
    const { expiresAt } = identity;
    if (expiresAt === undefined) return;
    void clock.sleep(expiresAt - clock.now(), closed).then(cut);
  }
}

/** Answers of which the client sees only a part. */
function readsWhole({ route, method }: Call): boolean {
  if (method !== 'GET') return false;
  return route.resource === '' || (route.resource === 'pods' && route.namespace === undefined);
}

/** Pods are shown as they were made, and all of CCI 2.0 in its own words; logs are nobody's. */
function rewritingOf(call: Call): Transform | undefined {
  const { route } = call;
  if (route.subresource === 'log' || !(isOfV2(call) || describesPods(route))) return undefined;
  const shown = (document: unknown): unknown => {
    const asMade = describesPods(route) ? withPods(route, document, requestingAsMade) : document;
    return shownDocument(route, asMade);
  };
  return isWatch(call) ? rewriteLines((frame) => inFrame(frame, shown)) : rewriteWhole(shown);
}

/** In one line of a watch. */
function inFrame(frame: unknown, shown: (document: unknown) => unknown): unknown {
  return isObject(frame) ? { ...frame, object: shown(frame['object']) } : frame;
}

function isOfV2({ route }: Call): boolean {
  return storedGroupVersion(route.groupVersion) !== undefined;
}

function isWatch({ query, method }: Call): boolean {
  return method === 'GET' && ['1', 'true'].includes(query.get('watch') ?? '');
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'https://gateway');
}

function signedRequest(request: IncomingMessage, body: Uint8Array): Parameters<typeof authenticate>[1] {
  return { method: request.method ?? '', target: request.url ?? '/', headers: request.headers, body };
}

function abortOnClose(stream: { on(event: 'close', listener: () => void): unknown }): AbortSignal {
  const controller = new AbortController();
  stream.on('close', () => controller.abort());
  return controller.signal;
}

async function drained(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
