/** Of the Secret with the authorities of the webhooks, which all replicas share. */
export const secretName = (installation: string): string => `${installation}-admission-authority`;
