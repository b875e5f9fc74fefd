import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ClusterConfig } from '../config/cluster-config.ts';
import { encodeQuery } from './encode.ts';
import { authenticationHeaders } from './headers.ts';
import type { ApiError } from '../errors.ts';
import type { KubeRequest } from './request.ts';
import { type ResponseHeaders, toApiError } from './response.ts';
import { signedHeaders } from './sign.ts';

/** What somebody else needs to open a connection that leaves HTTP, such as exec. */
export interface UpgradeTarget {
  readonly url: URL;
  /** Who we are. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** A new connection to the API server, with our certificates. */
  readonly connect: () => Duplex;
  /** To be told what the server answered in place of the upgrade: who keeps the credentials learns of a 401. */
  readonly refused: (answer: {
    readonly status: number;
    readonly headers: ResponseHeaders;
    readonly text: string;
  }) => ApiError;
}

/** For one attempt, which begins at once: what is signed is only good for a while. @throws KubeconfigError */
export async function upgradeTarget(
  config: ClusterConfig,
  { path, query }: Pick<KubeRequest, 'path' | 'query'>,
): Promise<UpgradeTarget> {
  const { credentials, generation } = await config.credentials.current();
  const url = new URL(config.server.replace(/\/+$/, '') + path + encodeQuery(query));
  // A remote command is opened by POST, with the address as the URL has it.
  const request = { method: 'POST', path: url.pathname + url.search, body: null } as const;
  const flat = await signedHeaders(config, request, authenticationHeaders(credentials, config.impersonate));
  const headers: Record<string, string[]> = {};
  for (let at = 0; at < flat.length; at += 2) (headers[flat[at] ?? ''] ??= []).push(flat[at + 1] ?? '');
  // Whoever connects says it by itself.
  delete headers['host'];
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const connect = (): Duplex => {
    if (url.protocol === 'http:') return connectTcp({ host, port: Number(url.port || 80) });
    const servername = config.tlsServerName ?? (isIP(host) ? undefined : host);
    return connectTls({
      host,
      port: Number(url.port || 443),
      rejectUnauthorized: !config.insecureSkipTlsVerify,
      ALPNProtocols: ['http/1.1'],
      ...(servername === undefined ? {} : { servername }),
      ...(config.ca === undefined ? {} : { ca: config.ca }),
      ...(credentials.clientCert === undefined ? {} : { cert: credentials.clientCert }),
      ...(credentials.clientKey === undefined ? {} : { key: credentials.clientKey }),
    });
  };
  const refused: UpgradeTarget['refused'] = ({ status, headers: answered, text }) => {
    const error = toApiError(status, answered, text, `POST ${path}`);
    if (status === 401) config.credentials.invalidate?.(generation, error);
    return error;
  };
  return { url, headers, connect, refused };
}
