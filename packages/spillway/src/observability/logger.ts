import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

/** Names of fields whose values never reach a log, at the top of a line and one or two levels below. */
const secretFields = [
  'authorization',
  'Authorization',
  'password',
  'token',
  'accessToken',
  'secretKey',
  'clientKey',
  'privateKey',
  'credentials',
  'registryCredentials',
  'cookie',
  'stringData',
];

/** One JSON object a line, with the time as RFC 3339 and the level as a word. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
    serializers: { err: describeError, error: describeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Message and causes on one line; the stack only where the error is nobody's answer but a defect. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const messages: string[] = [];
  for (let cause: unknown = error; cause instanceof Error && messages.length < 8; cause = cause.cause) {
    const { message } = cause;
    if (!messages.some((earlier) => earlier.includes(message))) messages.push(message);
  }
  const defect = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  return { type: error.name, message: messages.join(': '), ...(defect ? { stack: error.stack } : {}) };
}
