import { randomUUID } from 'node:crypto';

/** All of the vendor's codes that this region answers with. */
export const errorCodes = [
  'APIGW.0201',
  'APIGW.0301',
  'CCI.01.400103',
  'CCI.01.400105',
  'CCI.01.400106',
  'CCI.01.400301',
  'CCI.01.400304',
  'CCI.01.400306',
  'CCI.01.400307',
  'CCI.01.400309',
  'CCI.01.401102',
  'CCI.01.403009',
  'CCI.01.403010',
  'CCI.01.403104',
  'CCI.01.404101',
  'CCI.02.400106',
  'CCI.02.400109',
  'CCI.02.400110',
  'CCI.02.400111',
  'CCI.02.409101',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** An answer in one of the vendor's shapes instead of what was asked for. */
export type Refusal = ApiRefusal | GatewayRefusal | IamRefusal;

/** Of CCI's API: a Kubernetes Status, with the vendor's code where one is documented. */
interface ApiRefusal {
  readonly from: 'api';
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly errorCode?: ErrorCode;
}

/** Of the API gateway in front of all services. */
interface GatewayRefusal {
  readonly from: 'gateway';
  readonly status: number;
  readonly errorCode: ErrorCode;
  readonly message: string;
}

interface IamRefusal {
  readonly from: 'iam';
  readonly status: number;
  readonly title: string;
  readonly message: string;
}

export function apiRefusal(status: number, reason: string, message: string, errorCode?: ErrorCode): Refusal {
  return { from: 'api', status, reason, message, ...(errorCode === undefined ? {} : { errorCode }) };
}

export function gatewayRefusal(status: number, errorCode: ErrorCode, message: string): Refusal {
  return { from: 'gateway', status, errorCode, message };
}

export function iamRefusal(status: number, title: string, message: string): Refusal {
  return { from: 'iam', status, title, message };
}

/** All that the gateway says about credentials has this code. */
export function badCredentials(detail: string): Refusal {
  return gatewayRefusal(401, 'APIGW.0301', `Incorrect IAM authentication information: ${detail}`);
}

export function bodyOf(refusal: Refusal): object {
  switch (refusal.from) {
    case 'api':
      return {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: refusal.message,
        reason: refusal.reason,
        code: refusal.status,
        ...(refusal.errorCode === undefined ? {} : { errorCode: refusal.errorCode }),
      };
    case 'gateway':
      return {
        error_code: refusal.errorCode,
        error_msg: refusal.message,
        request_id: randomUUID().replaceAll('-', ''),
      };
    default:
      return { error: { code: refusal.status, message: refusal.message, title: refusal.title } };
  }
}
