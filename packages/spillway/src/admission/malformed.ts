/** A request that gets no AdmissionReview as its answer. The message is shown to whoever asked. */
export class Malformed extends Error {
  readonly status: number;

  constructor(status: number, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.status = status;
  }
}
