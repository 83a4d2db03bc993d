const LONGEST_LOOK_MILLISECONDS = 250;

/** Reports an answer that takes too long. */
export class Watchdog {
  readonly #timer: NodeJS.Timeout;
  #waitingSince: number | undefined = performance.now();

  constructor(limitMilliseconds: number, bark: (error: Error) => unknown) {
    this.#timer = setInterval(
      () => {
        if (this.#waitingSince === undefined || performance.now() - this.#waitingSince < limitMilliseconds) return;
        bark(new Error(`nothing was received for ${Math.round(limitMilliseconds)} ms`));
      },
      Math.min(limitMilliseconds / 4, LONGEST_LOOK_MILLISECONDS),
    );
    this.#timer.unref();
  }

  watch(): void {
    this.#waitingSince = performance.now();
  }

  rest(): void {
    this.#waitingSince = undefined;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
