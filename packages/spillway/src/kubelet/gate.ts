import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { addressGroup } from '../https/address-group.ts';
import type { AccessControl } from './auth/access-control.ts';
import { requiredAccess } from './auth/attributes.ts';
import { certificateUser, type ClientCertificate, verifiedCertificate } from './auth/client-certificate.ts';
import type { User } from './auth/reviews.ts';
import { Problem } from './problem.ts';
import { pathSegments, type Route, routeOf } from './route.ts';

/** A request that may be served. */
export interface Admitted {
  readonly user: User;
  readonly route: Route;
  readonly query: URLSearchParams;
}

/**
 * What every request passes first: who is it, may they, and only then: is there such a path. Route and required access come
 * from the same segments, so that no way of writing a path leads to one with the rights for another.
 */
export class Gate {
  readonly #access: AccessControl;
  readonly #now: () => number;
  readonly #certificates = new WeakMap<TLSSocket, ClientCertificate | undefined>();

  constructor(access: AccessControl, now: () => number) {
    this.#access = access;
    this.#now = now;
  }

  /** @throws {Problem} 401, 403, 429, 503, 404, 405 */
  async admit(request: IncomingMessage): Promise<Admitted> {
    const { method = '', url = '/', headers } = request;
    const user = await this.#access.authenticate({
      certificateUser: this.#certificateUser(request),
      authorization: headers.authorization,
      address: addressGroup(request.socket.remoteAddress),
    });
    const [path = '', query = ''] = splitOnce(url, '?');
    const segments = pathSegments(path);
    await this.#access.authorize(user, requiredAccess(method, segments));
    const routing = routeOf(method, segments);
    if ('allow' in routing) throw new Problem(405, `use ${routing.allow.join(' or ')} for ${path}`);
    if (routing.route === undefined) throw new Problem(404, `404 page not found: ${path}`);
    return { user, route: routing.route, query: new URLSearchParams(query) };
  }

  #certificateUser({ socket }: IncomingMessage): User | undefined {
    if (!(socket instanceof TLSSocket)) return undefined;
    if (!this.#certificates.has(socket)) this.#certificates.set(socket, verifiedCertificate(socket));
    const certificate = this.#certificates.get(socket);
    return certificate && certificateUser(certificate, this.#now());
  }
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
