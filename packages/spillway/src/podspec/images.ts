/** A login for one image registry, from an image pull Secret. */
export interface RegistryCredential {
  /** Registry host with optional port and path prefix, as Docker's config writes it, e.g. `swr.cn-north-4.myhuaweicloud.com`. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}
