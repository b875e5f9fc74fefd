import { ApiError, TransportError, errorMessage } from '@spillway/kube';
import { BackendError, type BackendErrorKind } from '../backend.ts';

// Codes: https://support.huaweicloud.com/intl/en-us/api-cci/cci_02_1005.html (CCI) and
// https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-errorcode.html (APIGW, the gateway in front).
// Those for charts (CCI.04) and packages (CCI.03) are of calls that are not made.

export interface KnownCode {
  readonly kind: BackendErrorKind;
  /** For the event and the container's waiting state */
  readonly reason: string;
  /** What happened, in our words */
  readonly says: string;
  readonly remedy?: string;
}

const askAdministrator = 'Ask the administrator of the account for';
const support = 'If it persists, contact Huawei Cloud support with the request';

const missingRight = (right: string): KnownCode => ({
  kind: 'unauthorized',
  reason: 'CCIForbidden',
  says: `the credential lacks the right ${right}`,
  remedy: `${askAdministrator} the right ${right}, or for the policy CCI FullAccess`,
});

const ourMistake = (says: string, remedy = 'This is a bug in Spillway: please report it'): KnownCode => ({
  kind: 'internal',
  reason: 'CCIRequestNotUnderstood',
  says,
  remedy,
});

const badCredential = (says: string, remedy: string): KnownCode => ({
  kind: 'unauthorized',
  reason: 'CCIUnauthorized',
  says,
  remedy,
});

const away = (says: string): KnownCode => ({ kind: 'unavailable', reason: 'CCIUnavailable', says, remedy: support });

/** Somebody may make it, or correct the claim: it is tried again. */
const unknownStorage = (says: string): KnownCode => ({
  kind: 'conflict',
  reason: 'CCIStorage',
  says,
  remedy: 'Check volumeHandle and the path of the PersistentVolume, and that the file system is in the same project',
});

const agencyRemedy =
  'Open the CCI console in this region once and agree to the service authorization, or grant it with POST /v1/agency';
const configRemedy = 'Check the backend in the configuration';

export const knownCodes: Readonly<Record<string, KnownCode>> = {
  // The account
  'CCI.01.401102': {
    kind: 'blocked',
    reason: 'CCINotAuthorized',
    says: 'the account has not authorized CCI in this region',
    remedy: agencyRemedy,
  },
  'CCI.01.404101': {
    kind: 'blocked',
    reason: 'CCINotAuthorized',
    says: "the account's authorization of CCI was not found",
    remedy: agencyRemedy,
  },
  'CCI.01.403009': {
    kind: 'blocked',
    reason: 'CCIArrears',
    says: 'the account is in arrears',
    remedy: 'Top up the account; bursting then resumes automatically',
  },
  'CCI.01.403010': {
    kind: 'blocked',
    reason: 'CCIFrozen',
    says: 'the account is frozen',
    remedy: 'Ask Huawei Cloud support why; bursting resumes automatically afterwards',
  },
  'CCI.01.400104': {
    kind: 'quota',
    reason: 'CCIQuota',
    says: 'the account has reached its limit of agencies, and CCI needs one',
    remedy: 'Delete an unused agency in the IAM console, or have the quota raised',
  },
  'CCI.01.403101': {
    kind: 'blocked',
    reason: 'CCINotAuthorized',
    says: 'the account has no access to GPUs in CCI',
    remedy: 'Apply for it in the CCI console',
  },
  'CCI.01.403102': {
    kind: 'blocked',
    reason: 'CCINotAuthorized',
    says: 'the account has no access to OBS volumes in CCI',
    remedy: 'Apply for it in the CCI console',
  },
  'CCI.01.403103': badCredential(
    'the credential belongs to a different account than the request',
    'Check that projectId and domainId belong to the account of the credential',
  ),
  'CCI.01.403104': missingRight('to do this'),
  'CCI.01.403105': missingRight('cci:namespace:create'),
  'CCI.01.403106': missingRight('cci:namespace:delete'),
  'CCI.01.403107': missingRight('cci:namespace:update'),
  'CCI.01.403108': missingRight('cci:namespace:get'),
  'CCI.01.403109': missingRight('cci:namespace:list'),
  'CCI.01.403110': missingRight('cci:namespaceSubResource:create'),
  'CCI.01.403111': missingRight('cci:namespaceSubResource:delete'),
  'CCI.01.403112': missingRight('cci:namespaceSubResource:update'),
  'CCI.01.403113': missingRight('cci:namespaceSubResource:get'),
  'CCI.01.403114': missingRight('cci:namespaceSubResource:list'),
  // Namespace and network
  'CCI.01.400103': badCredential(
    'creating a network needs a token of the user',
    'Use an IAM user (domainName, userName, password) instead of an access key',
  ),
  'CCI.01.400107': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'the enterprise project does not exist',
    remedy: configRemedy,
  },
  'CCI.01.400201': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'the address range of the subnet is not inside that of the VPC, or overlaps another',
    remedy: 'Check vpcId and subnetId (the Neutron subnet ID)',
  },
  'CCI.01.400202': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'the network does not name the project',
    remedy: 'Check projectId',
  },
  'CCI.02.400106': {
    kind: 'quota',
    reason: 'CCIQuota',
    says: 'the account has reached its limit of namespaces: five in a region, unless the quota was raised',
    remedy: 'Delete an unused namespace, have the quota raised, or share one with namespaceName',
  },
  'CCI.02.400109': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'the name of the namespace is not allowed',
    remedy: 'Set namespaceName (or clusterId) to at most 63 lower-case letters, digits and "-"',
  },
  'CCI.02.400110': ourMistake('the flavor of the namespace is not offered in this region'),
  'CCI.02.400111': ourMistake('the namespace has no flavor'),
  'CCI.02.400112': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'the request does not name the account',
    remedy: 'Check domainId',
  },
  'CCI.02.400113': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'the request does not name the project',
    remedy: 'Check projectId',
  },
  'CCI.02.400114': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'the request does not name the project',
    remedy: 'Check projectId',
  },
  'CCI.02.400116': {
    kind: 'soldOut',
    reason: 'CCISoldOut',
    says: 'the region has no capacity for another namespace at the moment',
    remedy: 'Spillway tries again; another region or availability zone may have capacity',
  },
  'CCI.02.400118': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'the enterprise project is empty',
    remedy: configRemedy,
  },
  'CCI.02.400119': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'this account has no enterprise projects',
    remedy: configRemedy,
  },
  'CCI.02.409101': {
    kind: 'conflict',
    reason: 'CCINamespaceTaken',
    says: 'a namespace of this name already exists',
    remedy: 'All accounts share one set of names: set namespaceName to a free one',
  },
  'CCI.02.409102': { kind: 'conflict', reason: 'CCIConflict', says: 'the namespace belongs to a dedicated node' },
  'CCI.02.404101': ourMistake('the flavor of the namespace is not offered in this region'),
  'CCI.02.404102': { kind: 'notFound', reason: 'CCINotFound', says: 'there is no such resource quota' },
  'CCI.02.404103': { kind: 'notFound', reason: 'CCINotFound', says: 'there is no such quota' },
  // Storage of claims
  'CCI.01.400302': unknownStorage('the ID of the file system is not valid'),
  'CCI.01.400303': unknownStorage('the ID of the file system is too long'),
  'CCI.01.400305': {
    kind: 'unavailable',
    reason: 'CCIStorage',
    says: 'the file system is not available at the moment',
    remedy: 'Check its state in the console of SFS',
  },
  'CCI.01.400306': unknownStorage('the file system does not exist'),
  'CCI.01.400309': {
    kind: 'conflict',
    reason: 'CCIStorageImported',
    says: 'the file system is already imported into CCI by somebody else',
    remedy: 'Unbind it in the console of CCI, or run all pods that use it in the pool that has imported it',
  },
  // What only a fault of ours can cause
  'CCI.01.400101': ourMistake('the body of the request was not understood'),
  'CCI.01.400102': ourMistake('the request names no namespace'),
  'CCI.01.400105': ourMistake('a listing of namespaces has to name the namespace in its fieldSelector'),
  'CCI.01.400106': ourMistake('the request to import a volume was not understood'),
  'CCI.01.400301': ourMistake('the type of the storage is not one that CCI knows'),
  'CCI.01.400304': ourMistake('whether the storage is to be kept was not understood'),
  'CCI.01.400307': ourMistake('file systems of this class cannot be imported'),
  'CCI.01.400308': ourMistake('storage of this class cannot be imported'),
  'CCI.02.400101': ourMistake('the namespace was not understood'),
  'CCI.02.400103': ourMistake('the content type is not supported'),
  'CCI.02.400117': ourMistake('the paging of the listing was not understood'),
  // The service itself
  'CCI.01.500101': away('CCI does not find the cluster that holds the namespace'),
  'CCI.02.400102': away('CCI did not find the account of the resource'),
  'CCI.02.400105': away('CCI could not update the quota'),
  // The gateway in front
  'APIGW.0101': {
    kind: 'internal',
    reason: 'CCIConfiguration',
    says: 'the gateway does not know this API',
    remedy: 'Check region and endpoint, and that CCI is offered there in the apiVersion of the configuration',
  },
  'APIGW.0103': away('the gateway has no backend for this API'),
  'APIGW.0104': away('the gateway lacks a plug-in'),
  'APIGW.0105': away('the gateway lacks the configuration of a backend'),
  'APIGW.0106': away('the gateway could not pass the parameters on'),
  'APIGW.0201': away('CCI did not answer the gateway, or the request is too large'),
  'APIGW.0301': badCredential(
    'the credential was refused',
    'Check the access key and secret key (or token), the clock, and whether the account is in arrears. More than five failures in a row lock a key for five minutes; Spillway stops before that',
  ),
  'APIGW.0302': badCredential('the IAM user is not allowed to use this API', `${askAdministrator} access to CCI`),
  'APIGW.0303': badCredential('the credential was refused', 'Check the access key and secret key'),
  'APIGW.0304': badCredential('the application is not allowed to use this API', `${askAdministrator} access to CCI`),
  'APIGW.0305': badCredential('the credential was refused', 'Check the access key and secret key'),
  'APIGW.0306': badCredential('access to the API was denied', `${askAdministrator} access to CCI`),
  'APIGW.0307': badCredential('the token must be renewed', 'Check that the token comes from the IAM of this region'),
  'APIGW.0308': {
    kind: 'throttled',
    reason: 'CCIThrottled',
    says: 'there were more requests than the gateway allows',
    remedy: 'Spillway slows down automatically; other users of the account share the limit',
  },
  'APIGW.0310': badCredential('the project cannot be used', 'Check projectId, and that the project is not suspended'),
  'APIGW.0311': badCredential('the credential was refused', 'Check the access key and secret key'),
  'APIGW.0401': badCredential(
    'the gateway does not recognize our address',
    `${askAdministrator} access from this network`,
  ),
  'APIGW.0402': badCredential('calls from our address are not allowed', `${askAdministrator} access from this network`),
  'APIGW.0404': badCredential('the gateway may not reach the backend', support),
  'APIGW.0501': {
    kind: 'quota',
    reason: 'CCIQuota',
    says: 'the quota of calls is used up',
    remedy: 'Have the quota raised',
  },
  'APIGW.0502': {
    kind: 'quota',
    reason: 'CCIQuota',
    says: 'the quota of calls is used up',
    remedy: 'Have the quota raised',
  },
  'APIGW.0601': away('the gateway failed'),
  'APIGW.0602': ourMistake('the gateway did not understand the request'),
  'APIGW.0605': away('the gateway does not find its backend'),
  'APIGW.0606': away('the gateway does not reach its backend'),
  'APIGW.0607': ourMistake('the gateway does not support the method'),
  'APIGW.0608': away('the gateway failed'),
  'APIGW.0609': away('the gateway failed'),
  'APIGW.0610': away('CCI is not available'),
  'APIGW.0611': away('CCI did not answer the gateway in time'),
  'APIGW.0801': badCredential('the user is not allowed to use this service', `${askAdministrator} access to CCI`),
  'APIGW.0802': badCredential(
    'the IAM user is not allowed to use this region',
    `${askAdministrator} access to the region`,
  ),
};

/** The vendor's code of an answer: of CCI, or of the gateway, which calls itself APIGW or APIG. */
export function codeOf(error: ApiError): string | undefined {
  const body = error.answer?.body;
  const code = body?.['errorCode'] ?? body?.['error_code'];
  return typeof code === 'string' && code !== '' ? code.replace(/^APIG\./, 'APIGW.') : undefined;
}

/** False for a 401 that says something else than that the credential is wrong: that the account has not authorized CCI. */
export function refusesCredential(code: unknown): boolean {
  return typeof code !== 'string' || !code.startsWith('CCI.');
}

/** Whatever a call of CCI throws, for people and for the pods' back-off. Errors that were translated are returned. */
export function toBackendError(error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  if (error instanceof ApiError) return answered(error);
  const message = errorMessage(error);
  return new BackendError(error instanceof TransportError ? 'unavailable' : 'internal', message, { cause: error });
}

function answered(error: ApiError): BackendError {
  // Getting a token failed: nothing was asked of CCI yet.
  if (error.cause instanceof BackendError) return error.cause;
  const code = codeOf(error);
  const known = code === undefined ? undefined : knownCodes[code];
  const kind = known?.kind ?? kindOf(error);
  const said = known === undefined ? error.message : `${known.says} (${error.message})`;
  return new BackendError(kind, code === undefined || said.includes(code) ? said : `${said} [${code}]`, {
    cause: error,
    ...(known !== undefined && { reason: known.reason }),
    ...(known?.remedy !== undefined && { remedy: known.remedy }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  });
}

const exceeded = /exceeded quota|quota exceeded/i;

/** Of answers without a code, or with one that is not documented. */
function kindOf(error: ApiError): BackendErrorKind {
  switch (error.kind) {
    case 'notFound':
      return 'notFound';
    case 'alreadyExists':
    case 'conflict':
      return 'conflict';
    case 'unauthorized':
      return 'unauthorized';
    case 'forbidden':
      return exceeded.test(error.message) ? 'quota' : 'unauthorized';
    case 'invalid':
      return 'invalid';
    case 'tooManyRequests':
      return 'throttled';
    case 'serverError':
      return 'unavailable';
    default:
      return 'internal';
  }
}
