import type { ErrorCode } from './error-codes.ts';

export const refused = (status: number, meaning: string, whatToDo: string, field?: string): ErrorCode => ({
  status,
  meaning,
  whatToDo,
  ...(field !== undefined && { field }),
});
