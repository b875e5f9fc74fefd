import { TransportError } from '../errors.ts';

/** Where a request went, for messages. */
export interface Destination {
  readonly server: string;
  /** File and context, or "in-cluster configuration" */
  readonly source: string;
}

/** What undici, the sockets below it and OpenSSL report, in words for the person who has to repair it. */
export function toTransportError(error: unknown, to: Destination): TransportError {
  if (error instanceof TransportError) return error;
  const code = codeOf(error);
  const make = (kind: TransportError['kind'], message: string, unsent = false): TransportError =>
    new TransportError(kind, message, { cause: error, unsent });

  const unreachable = unreachableBecause[code];
  if (unreachable !== undefined) {
    return make(
      'unreachable',
      `cannot reach the API server at ${to.server}: ${unreachable}. Check that it is running and that the address in ${to.source} is right`,
      true,
    );
  }
  if (untrusted.has(code)) {
    return make(
      'tls',
      `the certificate of the API server at ${to.server} is not signed by the authority that ${to.source} trusts (${textOf(error)}). Check certificate-authority there: it may belong to another or an earlier cluster`,
      true,
    );
  }
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return make('tls', `the certificate of the API server at ${to.server} has expired. Renew it on the server`, true);
    case 'CERT_NOT_YET_VALID':
      return make('tls', `the certificate of the API server at ${to.server} is not valid yet. Check the clocks`, true);
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return make(
        'tls',
        `the certificate of the API server at ${to.server} is for other names (${textOf(error)}). Use one of them as server in ${to.source}, or set tls-server-name`,
        true,
      );
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return make(
        'unreachable',
        `the connection to the API server at ${to.server} was lost (${textOf(error)})`,
        textOf(error).includes('before secure TLS connection'),
      );
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return make('timeout', `the API server at ${to.server} did not answer in time`);
    case 'UND_ERR_ABORTED':
    case 'ABORT_ERR':
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return make('aborted', `the request to ${to.server} was cancelled`);
    default:
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return make('tls', `${to.server} does not speak TLS. Check server in ${to.source}: http instead of https?`, true);
  }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
    return make(
      'tls',
      `no TLS connection to the API server at ${to.server} (${textOf(error)}). Check the client certificate in ${to.source}`,
      code.includes('ALERT'),
    );
  }
  return make('protocol', `the API server at ${to.server} gave no usable answer (${textOf(error)})`);
}

const unreachableBecause: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'its name cannot be looked up at the moment',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  EHOSTDOWN: 'the host is down',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
};

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
]);

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error && error.name === 'AbortError' ? 'ABORT_ERR' : '';
}

/** One line. OpenSSL puts file names and thread ids into its messages; its reason alone says it. */
function textOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  const message = 'message' in error ? String(error.message) : '';
  return message.split('\n', 1)[0] || codeOf(error) || 'unknown error';
}
