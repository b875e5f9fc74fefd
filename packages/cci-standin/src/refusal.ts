import { randomUUID } from 'node:crypto';

/** An answer in one of the vendor's shapes instead of what was asked for. */
export type Refusal = ApiRefusal | GatewayRefusal | IamRefusal;

/** Of CCI's API: a Kubernetes Status, with the vendor's code where one is documented. */
interface ApiRefusal {
  readonly from: 'api';
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly errorCode?: string;
}

/** Of the API gateway in front of all services. */
interface GatewayRefusal {
  readonly from: 'gateway';
  readonly status: number;
  readonly errorCode: string;
  readonly message: string;
}

interface IamRefusal {
  readonly from: 'iam';
  readonly status: number;
  readonly title: string;
  readonly message: string;
}

export function apiRefusal(status: number, reason: string, message: string, errorCode?: string): Refusal {
  return { from: 'api', status, reason, message, ...(errorCode === undefined ? {} : { errorCode }) };
}

export function gatewayRefusal(status: number, errorCode: string, message: string): Refusal {
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
