/** A server's own clock, in milliseconds since 1970: for deadlines of clients and ages of stored events, as clients mean them. */
export const serverTime = (): number => Date.now();
