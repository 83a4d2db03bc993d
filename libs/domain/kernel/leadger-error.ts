/**
 * The base of every error that a caller can do something about. Each has a stable code, for programs and problem
 * documents, and a message of one sentence, for people. Any other error is a defect.
 */
export class LeadgerError extends Error {
  readonly code: string;
  /** Whether its message may quote what somebody wrote. Then a log has its name and code only. */
  readonly quotes: boolean = false;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
