export interface Answer {
  readonly status: number;
  readonly body: object;
}

export const success = (body: object): Answer => ({ status: 200, body });
export const refusal = (status: number, error: object): Answer => ({ status, body: { error } });
export const invalid = (code: string, param: string, message = `Invalid ${param}.`, status = 400): Answer =>
  refusal(status, { type: 'invalid_request_error', code, param, message });
