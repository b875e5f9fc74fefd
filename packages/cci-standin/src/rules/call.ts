import type { Identity } from '../accounts.ts';
import type { Route } from './routes.ts';

/** An authenticated request to the API, ready to be judged. */
export interface Call {
  readonly method: string;
  readonly route: Route;
  readonly query: URLSearchParams;
  /** Without parameters; "" when there is none */
  readonly contentType: string;
  /** Parsed; undefined without a body or when it is no JSON */
  readonly body: unknown;
  readonly hasBody: boolean;
  readonly identity: Identity;
  /** Whether the caller presented an IAM token in X-User-Token, however it logged in. */
  readonly hasUserToken: boolean;
}

/** How an account stands with the vendor. */
export interface Standing {
  /** Whether it has authorised CCI to act for it. */
  readonly agency: boolean;
  readonly arrears: boolean;
  readonly frozen: boolean;
}

/** What of the region's state the rules look at. */
export interface Facts {
  readonly standing: Standing;
  /** Of the namespace that the call is about; undefined when there is none of that name. */
  readonly namespaceProject: string | undefined;
  /** Of the volume that the call names; undefined when there is none of that name, or it is nobody's. */
  readonly volumeProject: string | undefined;
  /** How many the caller's project has; only for new ones. */
  readonly ownNamespaces: number;
  /** States of the namespace's networks; only where pods or networks are made. */
  readonly networkStates: readonly string[];
}

/** What differs between accounts and sites. */
export interface RuleOptions {
  /** Default 5 */
  readonly namespaceQuota: number;
  /** Network creation needs an IAM token in X-User-Token. Default false */
  readonly networkNeedsUserToken: boolean;
  /** Namespaces are only listed with `fieldSelector=metadata.name=…`. Default true */
  readonly namespaceListNeedsSelector: boolean;
}

export const usualRules: RuleOptions = {
  namespaceQuota: 5,
  networkNeedsUserToken: false,
  namespaceListNeedsSelector: true,
};
