/** Of the Secret with the authorities of the link, which all replicas share. */
export const linkSecretName = (installation: string): string => `${installation}-link-authority`;
