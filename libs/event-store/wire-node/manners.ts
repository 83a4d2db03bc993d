/** What a server does, and a client that knows only a kinder node would not expect. */
export interface Manners {
  /** 1: positions are those of the store. More: about so far apart, with gaps of different size, as bytes of a file are. */
  readonly positionStep: number;
  /** Whether `$all` has events of the server itself between the others. */
  readonly systemEvents: boolean;
  /** Open calls that one connection may have. The next one is not answered before one of them ends. */
  readonly callsPerConnection: number;
  /** Whether a subscriber that does not keep up with new events is dropped. Otherwise it gets them later. */
  readonly dropsSlowSubscribers: boolean;
  /** A call whose client reads nothing for so long is ended. (A server keeps it.) */
  readonly idleMilliseconds: number;
}

const IDLE_MILLISECONDS = 60_000;

/** As EventStoreDB 23.10 does it. */
export const SERVER_MANNERS: Manners = {
  positionStep: 512,
  systemEvents: true,
  callsPerConnection: 100,
  dropsSlowSubscribers: true,
  idleMilliseconds: IDLE_MILLISECONDS,
};

export const PLAIN_MANNERS: Manners = {
  positionStep: 1,
  systemEvents: false,
  callsPerConnection: 10_000,
  dropsSlowSubscribers: false,
  idleMilliseconds: IDLE_MILLISECONDS,
};
